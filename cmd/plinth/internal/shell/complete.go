package shell

import (
	"slices"
	"strings"
)

// Complete returns the lines that the last, unfinished word of line may be
// completed to: names of verbs, and the words that a verb knows. Of keys only the
// special ones are completed.
func (s *Session) Complete(line string) []string {
	before, word := "", line
	if i := strings.LastIndexAny(line, " ;"); i >= 0 {
		before, word = line[:i+1], line[i+1:]
	}
	var out []string
	for _, candidate := range s.candidates(before, word) {
		if !strings.HasPrefix(candidate, word) {
			continue
		}
		if !strings.HasSuffix(candidate, "/") { // A path may go on.
			candidate += " "
		}
		out = append(out, before+candidate)
	}
	return out
}

// candidates returns the words that may follow the part of a line before the
// last word.
func (s *Session) candidates(before, word string) []string {
	commands, err := Parse(before)
	if err != nil {
		return nil
	}
	trimmed := strings.TrimRight(before, " ")
	if len(commands) == 0 || strings.HasSuffix(trimmed, ";") {
		return verbNames()
	}
	last := commands[len(commands)-1]
	v := verbs()[string(last[0])]
	if v.keys && strings.HasPrefix(word, `\xff`) {
		return specialKeys()
	}
	if v.words == nil {
		return nil
	}
	var args []string
	for _, arg := range last[1:] {
		args = append(args, string(arg))
	}
	return v.words(s, args, word)
}

// specialKeys are the special keys, and the beginnings of others, as they are
// entered.
func specialKeys() []string {
	return []string{
		`\xff\xff/cluster_file_path`,
		`\xff\xff/cluster_id`,
		`\xff\xff/connection_string`,
		`\xff\xff/error_message`,
		`\xff\xff/management/db_locked`,
		`\xff\xff/metrics/data_distribution_stats/`,
		statusJSONWord,
		`\xff\xff/transaction/conflicting_keys/`,
		`\xff\xff/transaction/read_conflict_range/`,
		`\xff\xff/transaction/write_conflict_range/`,
	}
}

// statusJSONWord is statusJSONKey as it is entered.
const statusJSONWord = `\xff\xff/status/json`

// helpWords offers what help knows.
func helpWords(_ *Session, args []string, _ string) []string {
	if len(args) > 0 {
		return nil
	}
	return slices.Concat(verbNames(), topics())
}

// optionWords offers on and off, and then the names of options: to be turned off
// those that are on.
func optionWords(s *Session, args []string, _ string) []string {
	switch {
	case len(args) == 0:
		return []string{"on", "off"}
	case len(args) > 1:
		return nil
	case args[0] == "off":
		var names []string
		for _, set := range s.options {
			names = append(names, set.name)
		}
		return names
	}
	return optionNames()
}
