"""The zygote: a preloaded interpreter that forks a process for each start of a program.

It runs under `python3 -S -c`, confined except for what its forks need, and never runs a line of the program: it only
compiles it, and imports modules of the standard library that depend on neither clocks nor randomness. A fork applies
the confinement of a separate process to itself, reports that, and then becomes that process, as if
`python3 -S program.py` had started it.

Command line: `read=PATH`, `device=PATH` and `scratch=PATH` for Landlock, `filter=HEX:OFFSET,…` for seccomp, `--`, the
program and its arguments. Descriptor 3 receives `start NAME` with the descriptors of turns, answers and output,
`wait PID` and `look PID`; an answer is a number, or `!` and a reason.
"""

import sys

# The program's folder: nothing there may be imported here.
del sys.path[0]

import _frozen_importlib_external as importing
import _imp
import _socket
import builtins
import ctypes
import os

CONTROL, TURNS, ANSWERS, REST = 3, 3, 4, 5
DEATH_SIGNAL, SECCOMP, FILTER, KILL = 1, 22, 2, 9
CREATE_RULESET, ADD_RULE, RESTRICT_SELF, NEWEST, PATH_BENEATH = 444, 445, 446, 6, 1
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE, MAKE_REG = 1, 2, 4, 8, 16, 32, 256
TRUNCATE, IOCTL_DEV = 1 << 14, 1 << 15
READ = EXECUTE | READ_FILE | READ_DIR
SCRATCH = READ | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_REG | TRUNCATE
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
# Modules that a program may find already imported.
HARMLESS = set(
    "abc base64 bisect collections copy dataclasses enum functools heapq itertools json math operator random re string struct types typing".split()
)

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
libc.syscall.argtypes = [ctypes.c_long] * 5
libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4


def checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def number(value, size):
    return value.to_bytes(size, sys.byteorder)


# The confinement of each fork ------------------------------------------------------------------------------------------


class Rules:
    """Landlock rules with their paths open; a fork adds its scratch folder."""

    def __init__(self, readable, devices):
        # This kernel's ABI version; not positive if it has no Landlock.
        self.abi = min(libc.syscall(CREATE_RULESET, 0, 0, 1, 0), NEWEST)
        self.handled = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(self.abi, 16)) - 1
        self.open = []
        if self.abi > 0:
            for path, access in [(path, READ) for path in readable] + [(path, READ_FILE | WRITE_FILE) for path in devices]:
                try:
                    file = os.open(path, os.O_PATH | os.O_CLOEXEC)
                except OSError:
                    continue
                self.open.append((file, access if os.path.isdir(path) else access & OF_FILES))

    def restrict(self, scratch):
        if self.abi <= 0:
            return
        size = 8 if self.abi < 4 else 16 if self.abi < 6 else 24
        attributes = (number(self.handled, 8) + number(3, 8) + number(3, 8))[:size]
        ruleset = checked(libc.syscall(CREATE_RULESET, address(attributes), size, 0, 0))
        rules = list(self.open)
        if scratch is not None:
            rules.append((os.open(scratch, os.O_PATH | os.O_CLOEXEC), SCRATCH))
        for file, access in rules:
            rule = number(access & self.handled, 8) + number(file, 4)
            checked(libc.syscall(ADD_RULE, ruleset, PATH_BENEATH, address(rule), 0))
        checked(libc.syscall(RESTRICT_SELF, ruleset, 0, 0, 0))


class Filter:
    """A system call filter, complete except for the process id."""

    def __init__(self, text):
        program, own_at = text.split(":")
        self.program, self.own_at = bytes.fromhex(program), [int(offset) for offset in own_at.split(",") if offset]

    def apply(self):
        program = bytearray(self.program)
        for offset in self.own_at:
            program[offset : offset + 4] = number(os.getpid(), 4)
        program = bytes(program)
        # `struct sock_fprog`: the number of instructions, and an aligned pointer to them.
        header = number(len(program) // 8, 2).ljust(ctypes.sizeof(ctypes.c_void_p), b"\0") + number(address(program), ctypes.sizeof(ctypes.c_void_p))
        checked(libc.prctl(SECCOMP, FILTER, address(header), 0, 0))


def address(data):
    """The address of bytes, which must be kept alive meanwhile."""
    return ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value


class Ready(importing.SourceFileLoader):
    """Loads a module that is already compiled."""

    def __init__(self, name, path, code):
        super().__init__(name, path)
        self.code = code

    def get_code(self, fullname):
        return self.code


# The program ---------------------------------------------------------------------------------------------------------------------------


class Program:
    """The compiled program."""

    def __init__(self, words):
        self.words = words
        self.script = os.path.abspath(words[0])
        # Links are followed, as for a script that is started by its name.
        self.path = os.path.dirname(os.path.realpath(self.script))
        own = {name.split(".")[0] for name in os.listdir(self.path)}
        with open(self.script, "rb") as file:
            source = file.read()
        # The interpreter is stricter with a file's encoding than `compile` is.
        source.decode("utf-8")
        self.code = compile(source, self.script, "exec", dont_inherit=True)
        self.codes = {}
        self.prepare(self.code, own)
        if own & {name.split(".")[0] for name in sys.modules}:
            raise ImportError("a file of the program has the name of a standard library module and would be imported instead of it")

    def prepare(self, code, own):
        """Compile the program's own modules, and import harmless ones."""
        for name in {name.split(".")[0] for name in code.co_names}:
            path = os.path.join(self.path, name + ".py")
            if name in own and path not in self.codes and os.path.isfile(path):
                try:
                    self.codes[path] = importing.SourceFileLoader(name, path).get_code(name)
                except Exception:
                    # The error is raised when the module is imported, which may never happen.
                    continue
                self.prepare(self.codes[path], own)
            elif name in HARMLESS:
                __import__(name)

    def loader(self, name, path):
        """The loader of the program's modules. No line of this file may appear in the traceback of one that fails to compile."""
        code = self.codes.get(path)
        return importing.SourceFileLoader(name, path) if code is None else Ready(name, path, code)

    def run(self):
        """Run it in this process."""
        loaders = [
            (importing.ExtensionFileLoader, _imp.extension_suffixes()),
            (self.loader, importing.SOURCE_SUFFIXES),
            (importing.SourcelessFileLoader, importing.BYTECODE_SUFFIXES),
        ]
        sys.path.insert(0, self.path)
        sys.path_importer_cache[self.path] = importing.FileFinder(self.path, *loaders)
        sys.argv = self.words
        main = type(sys)("__main__")
        loader = importing.SourceFileLoader("__main__", self.script)
        vars(main).update(__loader__=loader, __builtins__=builtins, __annotations__={}, __file__=self.script, __cached__=None)
        sys.modules["__main__"] = main
        try:
            exec(self.code, vars(main))
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            # The traceback starts with the program, as it would without a zygote.
            error.__traceback__ = error.__traceback__.tb_next
            sys.excepthook(type(error), error, error.__traceback__)
            sys.exit(1)


# The zygote ----------------------------------------------------------------------------------------------------------------------------


def become_confined(zygote, rules, filters, scratch):
    """Apply the confinement of a separate process."""
    os.setsid()
    # An inherited open file has a position, which all forks would share.
    nothing = os.open("/dev/null", os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    checked(libc.prctl(DEATH_SIGNAL, KILL, 0, 0, 0))
    if os.getppid() != zygote:
        os._exit(1)
    if scratch is not None:
        os.mkdir(scratch, 0o700)
        os.environ["HOME"] = os.environ["TMPDIR"] = scratch
    rules.restrict(scratch)
    for one in filters:
        one.apply()


def main():
    split = sys.argv.index("--")
    words = [word.partition("=") for word in sys.argv[1:split]]

    def named(wanted):
        return [value for name, _, value in words if name == wanted]

    scratch = next(iter(named("scratch")), None)
    control = _socket.socket(fileno=CONTROL)
    # Occupy the low numbers, so that received descriptors never get that of answers.
    while os.open("/dev/null", os.O_RDWR) < ANSWERS:
        pass
    unready = None
    try:
        if sys.version_info < (3, 9):
            raise ImportError("Python before 3.9 names its files differently")
        rules = Rules(named("read"), named("device"))
        filters = [Filter(text) for text in named("filter")]
        program = Program(sys.argv[split + 1 :])
    except BaseException as error:
        unready = b"!" + str(error).encode("utf-8", "replace")
    zygote = os.getpid()
    while True:
        asked, received, _, _ = control.recvmsg(256, _socket.CMSG_SPACE(3 * 4))
        if not asked:
            return
        what, _, of = asked.decode("ascii").partition(" ")
        files = [int.from_bytes(data[at : at + 4], sys.byteorder) for _, _, data in received for at in range(0, len(data), 4)]
        if what == "start" and unready is None:
            try:
                process = os.fork()
            except OSError as error:
                control.send(b"!" + str(error).encode("utf-8", "replace"))
                process = None
            if process == 0:
                try:
                    become_confined(zygote, rules, filters, None if scratch is None else os.path.join(scratch, of))
                    control.send(b"%d" % os.getpid())
                except BaseException as error:
                    try:
                        control.send(b"!" + str(error).encode("utf-8", "replace"))
                    finally:
                        os._exit(1)
                control.detach()
                for file, place in zip(files, (TURNS, ANSWERS, 1)):
                    os.dup2(file, place)
                os.dup2(1, 2)
                os.closerange(REST, os.sysconf("SC_OPEN_MAX"))
                return program.run()
        elif what == "start":
            control.send(unready)
        else:
            ended, status = os.waitpid(int(of), 0 if what == "wait" else os.WNOHANG)
            control.send(b"%d" % status if ended else b"!it lives")
        for file in files:
            os.close(file)


main()
