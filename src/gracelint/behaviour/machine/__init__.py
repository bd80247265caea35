"""One machine for programs that block: threads, a clock, waits, branches, and the signal that comes once it is settled.

    values       what programs and libraries hold, and what a thread waits for
    machine      one run: threads as generators that yield waits, the clock, choices, the signal's arrival
    ways         the run again for each choice nobody can make, and what all runs have in common
    ends         what the end of the process cuts off, and what is told of the program
    library      what libraries do: rows of knowledge/<language>.toml, in the same words for every language
    serving      servers: in flight, drained, dropped
    nodes        the syntax the machine runs; their parts are given in the order of the alphabet
    evaluation   runs it;  interpreter: names, calls, objects;  interest: which branches matter

**A language's front end** is a folder beside this one, with

1. `syntax.py`: tree-sitter's tree to `nodes`, function bodies lazily (`Function` takes a callable), and a File with
   `source` and `span(node)`;
2. the program's files: a function or class by its name, as a file names it (imports, packages, autoloading);
3. a machine, a subclass of `Interpreter`:
   `language` (the table of knowledge/), `entry`, `begin()` (`self.go(run of main, place of main)`), `name()` (what no
   scope knows: own functions and classes, else `Lib("a.b")` of a library), `class_named()`, `functions_named()`,
   `builtin()`/`method()` for the few calls that no row can say (they return a run, a generator, or None),
   `finished(thread)` where the process waits for more than main,
   and **`arrives()`: what the runtime does with the signal**: puts it into channels, cancels contexts (as it stands),
   `self.interrupt(thread, self.call(handler, …))` for handlers that run on top of a thread, `thread.thrown = Raised(…)`
   for signals that are exceptions, `self.start(self.call(hook, …))` for hooks in threads of their own;
4. `reaction.py`: `ends.tell(judge, unasked, "Ruby")`; `judge(signal)` is `ways.follow(signal, make, outcome)`:
   `make(ways)` gives a fresh machine, `outcome(machine)` judges one run: `machine.ended` (None: it goes on),
   `ends.lost` for what is cut off, `machine.main_thread.wait` for where it hangs. Doubt makes the way unknown;
5. rows in knowledge/<language>.toml (`library` says the words). A new library or server is a row and no code.

Three laws: never *handled* without having seen the way from the signal to the end; never *ignored* or *cut* where an
unread part could handle it (`machine.unsure`, files that were not read, libraries outside of `packages.silent`); every
*unknown* names what would decide it. Times are in seconds.
"""
