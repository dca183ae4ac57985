# For scripts that source it: what takes long and says nothing is run with its output in a log, and with words meanwhile of
# how far it has come.
#
#   watched LOG WHAT COMMAND...
#
# On a terminal that is one line, which is rewritten; elsewhere a line every few seconds (PROGRESS_SECONDS). It names the share
# of ninja's steps ("[12/300] …") or ctest's tests ("12/300 Test …"), where the command tells them, and the time. The status
# is the command's.

progress_line() {  # WHAT DONE ALL SECONDS
  local text="  $1:"
  if [ "$3" -gt 0 ]; then
    text+=" $((100 * $2 / $3))% ($2 of $3 steps), $4 s"
    # The first steps say little of the rest.
    [ $((20 * $2)) -ge "$3" ] && [ "$2" -lt "$3" ] && text+=", about $(($4 * ($3 - $2) / $2)) s to go"
  else
    text+=" $4 s"
  fi
  if [ -t 1 ]; then printf '\r%s\033[K' "$text"; else printf '%s\n' "$text"; fi
}

# Until it is killed, or the script is gone. It reads the log, and not a pipe from the command, since what that leaves running
# would hold a pipe open.
tell_progress() {  # LOG WHAT START: where the command's part of the log begins
  local log=$1 what=$2 start=$3 begin=$SECONDS told=$SECONDS every=${PROGRESS_SECONDS:-5} done=0 all=0 steps
  [ -t 1 ] && every=1 && progress_line "$what" 0 0 0
  while sleep 1 >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do
    [ $((SECONDS - told)) -lt "$every" ] && continue
    told=$SECONDS
    steps=$(tail -c "+$start" "$log" | tail -c 4000 | grep -aoE '^\[? *[0-9]+/[0-9]+(\]| Test)' | tail -1)
    [[ $steps =~ ([0-9]+)/([0-9]+) ]] && done=${BASH_REMATCH[1]} all=${BASH_REMATCH[2]}
    progress_line "$what" "$done" "$all" $((SECONDS - begin))
  done
}

watched() {
  local log=$1 what=$2 begin=$SECONDS start status watcher end="done in"
  shift 2
  start=$(($(stat -c %s "$log" 2>/dev/null || echo 0) + 1))  # before the command adds to it
  tell_progress "$log" "$what" "$start" </dev/null &
  watcher=$!
  "$@" >>"$log" 2>&1
  status=$?
  kill "$watcher" 2>/dev/null
  wait "$watcher" 2>/dev/null
  [ "$status" -eq 0 ] || end="failed after"
  [ -t 1 ] && printf '\r\033[K'
  echo "  $what: $end $((SECONDS - begin)) s"
  return "$status"
}
