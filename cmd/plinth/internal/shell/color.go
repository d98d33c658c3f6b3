package shell

// style is how a piece of text looks at a terminal: the number of ANSI's
// "select graphic rendition".
type style string

const (
	bold style = "1"
	red  style = "31"
	cyan style = "36"
)

// paint gives text a style, where there are colours.
func (s *Session) paint(how style, text string) string {
	if !s.color || text == "" {
		return text
	}
	return "\x1b[" + string(how) + "m" + text + "\x1b[0m"
}
