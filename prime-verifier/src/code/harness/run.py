# Runs one program with one test. Reads everything from descriptor 0: a header of 128 bytes, the program, then in call
# mode the arguments as JSON, in stdin mode the test's input, which stays there for the program to read.
import posix, sys


def new_main():
    # The module that programs are run in. The harness has been `__main__` so far, and must not go with its last name.
    main = type(sys)("__main__")
    new_main.harness, sys.modules["__main__"] = sys.modules["__main__"], main
    return main


def read_exactly(count):
    pieces = []
    while count:
        piece = posix.read(0, min(count, 1 << 20))
        if not piece:
            posix._exit(125)
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)


def write_all(descriptor, data):
    while data:
        data = data[posix.write(descriptor, data):]


def tear_down(main):
    # Files that the program opened on its streams are written, and finalisers run, when nothing refers to them any more.
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
    for name in list(main.__dict__):
        if name != "__builtins__":
            main.__dict__[name] = None
    import gc
    gc.collect()


def flush():
    for stream in {id(stream): stream for stream in (sys.stdout, sys.__stdout__, sys.stderr)}.values():
        try:
            if stream is not None:
                stream.flush()
        except ValueError:
            pass  # closed by the program


def finish(status, main, source):
    # What an interpreter does when it ends, without tearing down every module object by object, and the program's own only where it
    # has something that this would show in.
    try:
        if "threading" in sys.modules:
            sys.modules["threading"]._shutdown()
        if "atexit" in sys.modules:
            sys.modules["atexit"]._run_exitfuncs()
        flush()
        if any(name in source for name in ("open", "FileIO", "BufferedWriter", "TextIOWrapper", "__del__")):
            tear_down(main)
            flush()
    except BaseException as error:
        status = status or 120
        try:
            sys.excepthook(type(error), error, error.__traceback__)
            sys.stderr.flush()
        except BaseException:
            pass
    finally:
        posix._exit(status)


def program_trace(trace):
    # The part of a traceback that is the program's.
    while trace is not None and trace.tb_frame.f_globals is globals():
        trace = trace.tb_next
    return trace


def report(error):
    # The exit status of an exception that nothing caught, printed as the interpreter would print it.
    if isinstance(error, SystemExit):
        if error.code is None:
            return 0
        if isinstance(error.code, int):
            return error.code & 0xFF
        sys.stderr.write(str(error.code) + "\n")
        return 1
    error = error.with_traceback(program_trace(error.__traceback__))
    sys.excepthook(type(error), error, error.__traceback__)
    return 1


def execute(source, space, result, nonce):
    # Not `compile`, whose first call makes every class of syntax trees: that takes longer than most programs.
    try:
        exec(source, space)
    except BaseException as error:
        trace = error.__traceback__
        if trace.tb_next is not None:
            raise
        # Nothing of the program was on the stack: it was not a program.
        text = (type(error).__name__ + ": " + str(error)).encode("utf-8", "replace")[:1000]
        write_all(result, b"%s C %d\n%s\n" % (nonce, len(text), text))
        posix._exit(1)


def call(space, name, arguments, result, nonce, dumps):
    solution = space.get("Solution")
    function = getattr(solution(), name, None) if isinstance(solution, type) else None
    if function is None:
        function = space.get(name)
    if function is None:
        raise NameError("the program defines no function or method of class Solution called " + name)
    value = function(*arguments)
    try:
        kind, text = b"R", dumps(value).encode()
    except (TypeError, ValueError, RecursionError) as error:
        kind, text = b"U", (type(value).__name__ + ": " + str(error)).encode("utf-8", "replace")[:1000]
    write_all(result, b"%s %s %d\n%s\n" % (nonce, kind, len(text), text))


def run(main):
    mode, nonce, program_size, arguments_size, name_size = read_exactly(128).split()
    source = read_exactly(int(program_size)).decode()
    name = read_exactly(int(name_size)).decode()
    arguments = read_exactly(int(arguments_size))
    space = main.__dict__
    sys.argv[:] = ["solution.py"]
    status = 1
    try:
        if mode == b"call":
            import json
            dumps = json.dumps
            arguments = json.loads(arguments)
            result = posix.dup(1)
            posix.dup2(2, 1)
            execute(source, space, result, nonce)
            call(space, name, arguments, result, nonce, dumps)
        else:
            execute(source, space, 1, nonce)
        status = 0
    except BaseException as error:
        try:
            status = report(error)
        except BaseException:
            pass
    finally:
        finish(status, main, source)
