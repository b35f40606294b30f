# Runs the test server and ends it when no test process has been alive for a while. Arguments: the folder, the seconds of
# patience, and the server's command line. `users/` holds a file for each test process, named by its id.
folder=$1 patience=$2
shift 2
cd "$folder" || exit 1

lives() { if [ -d /proc/self ]; then [ -d "/proc/$1" ]; else ps -p "$1" >/dev/null 2>&1; fi; }
in_use() {
  for file in "$1"/*; do
    if lives "${file##*/}"; then return 0; fi
    rm -f "$file"
  done
  return 1
}

"$@" >postgres.log 2>&1 &
server=$!
idle=0
while kill -0 "$server" 2>/dev/null; do
  sleep 1
  if in_use users; then idle=0; continue; fi
  idle=$((idle + 1))
  [ "$idle" -lt "$patience" ] && continue
  # who registers from here on fails, and waits for the server's end; who came just before is seen now
  mv users over || break
  in_use over || break
  mv over users
  idle=0
done
kill -INT "$server" 2>/dev/null
for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$server" 2>/dev/null || break; sleep 1; done
kill -QUIT "$server" 2>/dev/null
wait "$server"
rm -rf users over data
