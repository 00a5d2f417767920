# Waits on descriptor 3, with everything imported, and forks a process for each test. It never runs a program itself and
# knows nothing but the filter and the preamble.
sys.path[:] = [folder for folder in sys.path if folder] + MODULES
sys.dont_write_bytecode = True
import _socket, _thread, array, ctypes, gc, os, resource, signal, struct
import json  # for programs that are called, each of which would import it anew

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 1, 4, 22, 2
control = _socket.socket(fileno=3)
prctl = ctypes.CDLL(None, use_errno=True).prctl


class Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def receive_exactly(count):
    pieces = []
    while count:
        piece = control.recv(min(count, 1 << 16))
        if not piece:
            posix._exit(0)
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)


def must(result, what):
    if result != 0:
        number = ctypes.get_errno()
        posix.write(2, ("%s: %s\n" % (what, os.strerror(number))).encode())
        posix._exit(124)


def limit(kind, soft, hard):
    # What this process may not have itself it cannot give to another.
    most = resource.getrlimit(kind)[1]
    if most != resource.RLIM_INFINITY:
        soft, hard = min(soft, most), min(hard, most)
    resource.setrlimit(kind, (soft, hard))


def enter(descriptors, limits):
    # In the child: nothing of the parent but its memory is left when the program starts.
    cpu_seconds, memory = limits
    must(prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl(PR_SET_PDEATHSIG)")
    if posix.getppid() != parent:
        posix._exit(124)
    for target, descriptor in enumerate(descriptors):
        posix.dup2(descriptor, target)
    control.detach()
    posix.closerange(3, 64)
    limit(resource.RLIMIT_CPU, cpu_seconds, cpu_seconds + 1)
    limit(resource.RLIMIT_AS, memory, memory)
    if instructions:
        code = instructions.replace(OWN_PID, struct.pack("=I", posix.getpid()))
        program = Filter(len(code) // 8, code)
        must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0), "prctl(PR_SET_SECCOMP)")


def serve():
    request = struct.Struct("=QQ")
    spare = array.array("i").itemsize * 3
    while True:
        message, ancillary, _, _ = control.recvmsg(request.size, _socket.CMSG_SPACE(spare))
        if not message:
            posix._exit(0)
        descriptors = array.array("i")
        for _, _, data in ancillary:
            descriptors.frombytes(data)
        if len(message) != request.size or len(descriptors) != 3:
            posix._exit(124)
        try:
            child = posix.fork()
        except OSError as error:
            control.sendall(b"F" + struct.pack("=i", error.errno))
            for descriptor in descriptors:
                posix.close(descriptor)
            continue
        if child == 0:
            enter(descriptors, request.unpack(message))
            return
        watch = os.pidfd_open(child)
        for descriptor in descriptors:
            posix.close(descriptor)
        control.sendmsg([b"P"], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, array.array("i", [watch]))])
        posix.close(watch)
        _, status, usage = os.wait4(child, 0)
        cpu = int((usage.ru_utime + usage.ru_stime) * 1e6)
        control.sendall(struct.pack("=iQQ", status, cpu, usage.ru_maxrss))


prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
filter_size, preamble_size = struct.unpack("=II", receive_exactly(8))
instructions = receive_exactly(filter_size)
preamble = receive_exactly(preamble_size).decode()
main = new_main()
exec(preamble, main.__dict__)
_thread.stack_size(8 << 20)
parent = posix.getpid()
gc.collect()
gc.freeze()
control.sendall(b"R")
serve()
run(main)
