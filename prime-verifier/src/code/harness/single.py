sys.path[:] = [folder for folder in sys.path if folder] + MODULES
sys.dont_write_bytecode = True
main = new_main()
if PREAMBLE:
    exec(PREAMBLE, main.__dict__)
import _thread
_thread.stack_size(8 << 20)  # the stack of the main thread may grow to more, which is what new threads would get
run(main)
