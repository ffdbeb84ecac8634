# What start-proxy.sh reads .env with where there is no rollcall. Dot-source it.

say() { printf 'start-proxy: %s\n' "$1" >&2; }

trim() {
    trimmed=${1#"${1%%[![:space:]]*}"}
    trimmed=${trimmed%"${trimmed##*[![:space:]]}"}
}

# Whether the quote behind this text is escaped: an odd number of backslashes stands at its end.
escaped() {
    ending=$1
    while case $ending in *\\\\) ;; *) false ;; esac; do ending=${ending%??}; done
    case $ending in *\\) ;; *) return 1 ;; esac
}

# Sets the NAME=value lines of a .env file as python-dotenv reads them, but for ${OTHER} and for
# backslashes in quotes. What is already set wins; of two lines of one name the last one does.
read_dotenv() {
    newline='
'
    rest=$(cat "$1")$newline ours=' '
    rest=${rest#"$(printf '\357\273\277')"}
    case $rest in "$(printf '\377\376')"* | "$(printf '\376\377')"*)
        say "$1 is UTF-16 and was not read: save it as UTF-8." && return
    esac
    while [ -n "$rest" ]; do
        line=${rest%%"$newline"*} rest=${rest#*"$newline"}
        trim "$line"
        case $trimmed in export[[:space:]]*) trim "${trimmed#export}" ;; esac
        case $trimmed in
            \'*)
                text=${trimmed#?}$newline$rest
                case $text in *\'*) ;; *) continue ;; esac
                name=${text%%\'*} text=${text#*\'} rest=${text#*"$newline"}
                line=${text%%"$newline"*}
                trim "$line"
                case $trimmed in =*) ;; *) continue ;; esac
                ;;
            *=*) trim "${trimmed%%=*}" && name=$trimmed ;;
            *) continue ;;
        esac
        raw=${line#*=}
        case $name in '' | [0-9]* | *[!A-Za-z0-9_]*) continue ;; esac
        trim "$raw" && value=$trimmed plain=yes
        case $value in
            \'* | \"*)
                quote=${value%"${value#?}"} text=${line#*=}$newline$rest
                text=${text#*"$quote"}
                case $text in *"$quote"*) ;; *) continue ;; esac
                value=${text%%"$quote"*} text=${text#*"$quote"}
                while escaped "$value"; do
                    case $text in *"$quote"*) ;; *) continue 2 ;; esac
                    value=$value$quote${text%%"$quote"*} text=${text#*"$quote"}
                done
                rest=${text#*"$newline"}
                trim "${text%%"$newline"*}"
                case $trimmed in '' | '#'*) ;; *) continue ;; esac
                case $value in *\\*) plain= ;; esac
                ;;
            *)
                case $raw in [[:space:]]*) value=" $value" ;; esac
                trim "${value%%[[:space:]]"#"*}" && value=$trimmed
                ;;
        esac
        case $value in *'${'*) plain= ;; esac
        case $ours in *" $name "*) unset "$name" ;; esac
        if eval "[ -n \"\${$name+set}\" ]"; then continue; fi
        ours="$ours$name "
        if [ -n "$plain" ]; then
            export "$name=$value"
        else
            say ".env: $name is left out: \${...} and backslashes in quotes take rollcall to read."
        fi
    done
}
