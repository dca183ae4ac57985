#!/bin/sh
# machine_test.sh MPIRUN MEASURE_MACHINE COWINFO: the file that one program writes is what the others read.
set -eu
mpirun=$1 measure=$2 cowinfo=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$mpirun" -n 2 "$measure" > "$folder/machine"
for number in node_alpha node_beta node_line node_large keep fresh snapshot resident kept gamma copy; do
  grep -q "^$number = [0-9]" "$folder/machine" || { echo "no $number in:"; cat "$folder/machine"; exit 1; }
done

# Measured numbers, then one that must decide: without start-up, and with dear bytes, the broadcast avoids the tree.
COW_MACHINE=$folder/machine "$cowinfo" --collectives --ranks 8 --per-node 8 > "$folder/choice"
grep -q "allreduce" "$folder/choice"
printf 'node_alpha = 0\nnode_beta = 1  # dear\nprocessors = 8\n' > "$folder/other"
COW_MACHINE=$folder/other "$cowinfo" --collectives --ranks 8 --per-node 8 > "$folder/choice"
grep -q "from  *1 B  scatter_doubling" "$folder/choice" || { cat "$folder/choice"; exit 1; }
# COW_COLL_MODEL stands above the file.
COW_MACHINE=$folder/other COW_COLL_MODEL=node_alpha=1000 "$cowinfo" --collectives --ranks 8 --per-node 8 > "$folder/choice"
grep -q "^  bcast  *from  *0 B  binomial  *3000" "$folder/choice" || { cat "$folder/choice"; exit 1; }
# Ranks that share processors work in turn: halving a broadcast gains nothing then.
for count in 2 8; do
  COW_COLL_MEMORY=no COW_COLL_MODEL=processors=$count "$cowinfo" --collectives --ranks 8 --per-node 8 |
    sed -n '/^  bcast/,/^  reduce/p' > "$folder/choice.$count"
done
grep -q scatter "$folder/choice.8" || { cat "$folder/choice.8"; exit 1; }
! grep -q scatter "$folder/choice.2" || { cat "$folder/choice.2"; exit 1; }

expect_refusal() {  # words that the refusal must contain
  if COW_MACHINE=$folder/bad "$cowinfo" --collectives > "$folder/out" 2> "$folder/said"; then
    echo "taken: $(cat "$folder/bad")"; exit 1
  fi
  grep -q "$1" "$folder/said" || { cat "$folder/said"; exit 1; }
}
expect_refusal 'COW_MACHINE: .*/bad: No such file'
printf 'alpha = 1\nalfa = 2\n' > "$folder/bad"
expect_refusal 'COW_MACHINE: .*/bad, line 2: "alfa=2": expected'

# What is forced is taken, by setting, wherever it applies.
COW_COLL=bcast=chain "$cowinfo" --collectives --ranks 8 > "$folder/choice"
[ "$(grep -c 'chain' "$folder/choice")" -ge 1 ] && grep -q "^  bcast  *from  *0 B  chain" "$folder/choice"
