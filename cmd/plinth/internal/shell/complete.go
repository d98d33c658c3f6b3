package shell

import "strings"

// Complete returns the lines that the last, unfinished word of line may be
// completed to: names of verbs, and the words that a verb knows. Keys are not
// completed.
func Complete(line string) []string {
	before, word := "", line
	if i := strings.LastIndexAny(line, " ;"); i >= 0 {
		before, word = line[:i+1], line[i+1:]
	}
	var out []string
	for _, candidate := range candidates(before) {
		if strings.HasPrefix(candidate, word) {
			out = append(out, before+candidate+" ")
		}
	}
	return out
}

// candidates returns the words that may follow the part of a line before the
// last word.
func candidates(before string) []string {
	commands, err := Parse(before)
	if err != nil {
		return nil
	}
	trimmed := strings.TrimRight(before, " ")
	if len(commands) == 0 || strings.HasSuffix(trimmed, ";") {
		return verbNames()
	}
	last := commands[len(commands)-1]
	if len(last) > 1 {
		return nil
	}
	switch string(last[0]) {
	case "help":
		return append(verbNames(), "escaping")
	case "writemode":
		return []string{"on", "off"}
	case "status":
		return []string{"minimal", "json"}
	}
	return nil
}
