#!/bin/sh
# Runs a command, which stops a server, once no test uses it any more: each holds a lock on the file while it lives.
# Where the file is gone, the server is too.
# The first argument is the file, the others are the command.
users=$1
shift
while sleep 2 && [ -e "$users" ]; do
    if flock --exclusive --nonblock "$users" true && sleep 5 && flock --exclusive --nonblock "$users" "$@"; then
        exit 0
    fi
done
