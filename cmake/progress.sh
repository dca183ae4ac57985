# For scripts that source it: what takes long and says nothing is run with its output in a log, and with words meanwhile of
# how far it has come.
#
#   watched LOG WHAT COMMAND...
#
# On a terminal that is one line, which is rewritten; elsewhere a line every few seconds. It names the share of ninja's steps
# ("[12/300] …"), where the command tells them, and the time. The status is the command's.

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

tell_progress() {  # LOG WHAT, with the output of the command on standard input
  local log=$1 what=$2 begin=$SECONDS told=$SECONDS every=5 line rest="" done=0 all=0
  if [ -t 1 ]; then
    every=1
    progress_line "$what" 0 0 0
  fi
  while true; do
    if IFS= read -r -t 1 line; then
      line=$rest$line rest=""
      printf '%s\n' "$line" >>"$log"
      [[ $line =~ ^\[([0-9]+)/([0-9]+)\] ]] && done=${BASH_REMATCH[1]} all=${BASH_REMATCH[2]}
    else
      [ $? -gt 128 ] || break  # the end, not a second without a line
      rest+=$line
    fi
    [ $((SECONDS - told)) -lt "$every" ] && continue
    told=$SECONDS
    progress_line "$what" "$done" "$all" $((SECONDS - begin))
  done
  [ -z "$rest$line" ] || printf '%s\n' "$rest$line" >>"$log"
}

watched() {
  local log=$1 what=$2 begin=$SECONDS status end="done in"
  shift 2
  "$@" 2>&1 </dev/null | tell_progress "$log" "$what"
  status=${PIPESTATUS[0]}
  [ "$status" -eq 0 ] || end="failed after"
  [ -t 1 ] && printf '\r\033[K'
  echo "  $what: $end $((SECONDS - begin)) s"
  return "$status"
}
