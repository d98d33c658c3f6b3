package shell

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxScriptLineBytes bounds a line of a script: the longest set, with all its
// bytes escaped, and something over.
const maxScriptLineBytes = 1 << 20

// RunScript runs the lines of r until the end, exit or the first error (H3),
// which names the line. Lines that begin with # are comments.
func (s *Session) RunScript(ctx context.Context, r io.Reader) error {
	defer s.Rollback()
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxScriptLineBytes)
	number := 0
	for lines.Scan() {
		number++
		line := lines.Text()
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		err := s.Run(ctx, line)
		if errors.Is(err, ErrExit) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read line %d: %w", number+1, err)
	}
	return nil
}

// RunExec runs one line of commands, as --exec does.
func (s *Session) RunExec(ctx context.Context, line string) error {
	defer s.Rollback()
	if err := s.Run(ctx, line); !errors.Is(err, ErrExit) {
		return err
	}
	return nil
}

// Prompter reads lines from a person.
type Prompter interface {
	// Prompt returns the next line. The error is io.EOF at the end and
	// ErrAborted if the person gave up on the line.
	Prompt(prompt string) (string, error)
	// History returns the lines that were entered, this time and before, the
	// oldest first.
	History() []string
}

// ErrAborted is returned by a Prompter for a line that was given up.
var ErrAborted = errors.New("line aborted")

// Interact runs lines from a person until the end or exit. Errors are printed
// and do not end it. commandContext makes the context of one line, which an
// interruption ends.
func (s *Session) Interact(p Prompter, commandContext func() (context.Context, context.CancelFunc)) error {
	defer s.Rollback()
	s.entered = p.History
	s.note("Welcome to the Plinth shell. For help, type `help'.")
	for {
		line, err := p.Prompt(s.prompt())
		switch {
		case errors.Is(err, io.EOF):
			s.note("")
			return nil
		case errors.Is(err, ErrAborted):
			continue
		case err != nil:
			return err
		}
		ctx, cancel := commandContext()
		err = s.Run(ctx, line)
		cancel()
		if errors.Is(err, ErrExit) {
			return nil
		}
	}
}

func (s *Session) prompt() string {
	if s.InTransaction() {
		return "plinth*> "
	}
	return "plinth> "
}
