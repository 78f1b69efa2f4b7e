"""Runs a command on a pseudo-terminal and answers its prompts with the second choice.

drizzle-kit 0.31 asks on a terminal whether a column is new (first choice) or renamed (second).
usage: answer.py PROMPTS COMMAND...
"""
import os
import pty
import sys

prompts, command = int(sys.argv[1]), sys.argv[2:]
child, terminal = pty.fork()
if child == 0:
    os.execvp(command[0], command)

seen = b""
answered = 0
while True:
    try:
        data = os.read(terminal, 65536)
    except OSError:
        break
    if not data:
        break
    os.write(1, data)
    seen += data
    if answered < prompts and b"rename column" in seen:
        os.write(terminal, b"\x1b[B")
        os.write(terminal, b"\r")
        answered += 1
        seen = b""
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
