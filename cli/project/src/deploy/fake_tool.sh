#!/bin/sh
# Stands for a program that deploys, in the tests: notes its arguments, and the files that they name with `@`, in the folder
# that it was found in. It fails where its arguments have the word in the file `fail`.
folder=${0%/*}
printf '%s\n' "${0##*/} $*" >> "$folder/commands"
for argument in "$@"; do
    case $argument in
        @*) while read -r line || [ -n "$line" ]; do
                printf '%s\n' "$line" >> "$folder/files"
            done < "${argument#@}" ;;
    esac
done
if [ -f "$folder/fail" ]; then
    read -r word < "$folder/fail"
    case "$*" in *"$word"*) exit 3 ;; esac
fi
