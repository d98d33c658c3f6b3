package shell

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/peterh/liner"
)

// Terminal is a Prompter with line editing, completion and a history that is
// kept in a file.
type Terminal struct {
	state   *liner.State
	history string
}

// OpenTerminal takes over the terminal of the process. The history is read
// from and, by Close, written to a file; with an empty name it is not kept.
// complete returns what a line may be completed to; see Session.Complete.
func OpenTerminal(history string, complete func(line string) []string) (*Terminal, error) {
	t := &Terminal{state: liner.NewLiner(), history: history}
	t.state.SetCtrlCAborts(true)
	t.state.SetCompleter(complete)
	t.state.SetTabCompletionStyle(liner.TabPrints)
	if history == "" {
		return t, nil
	}
	f, err := os.Open(history)
	if errors.Is(err, fs.ErrNotExist) {
		return t, nil
	}
	if err == nil {
		_, err = t.state.ReadHistory(f)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read the history (--no-history does without): %w", err), t.state.Close())
	}
	return t, nil
}

// Prompt implements Prompter.
func (t *Terminal) Prompt(prompt string) (string, error) {
	line, err := t.state.Prompt(prompt)
	if errors.Is(err, liner.ErrPromptAborted) {
		return "", ErrAborted
	}
	if err == nil && strings.TrimSpace(line) != "" {
		t.state.AppendHistory(line)
	}
	return line, err
}

// History implements Prompter. The oldest lines of a long history are gone.
func (t *Terminal) History() []string {
	var text strings.Builder
	if _, err := t.state.WriteHistory(&text); err != nil || text.Len() == 0 {
		return nil // The only error is that of the writer, which has none.
	}
	return strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
}

// Close gives the terminal back and writes the history. Only its owner can
// read the file: lines may hold what is nobody else's business.
func (t *Terminal) Close() error {
	err := t.state.Close()
	if t.history == "" {
		return err
	}
	f, openErr := os.OpenFile(t.history, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if openErr != nil {
		return errors.Join(err, fmt.Errorf("write the history: %w", openErr))
	}
	_, writeErr := t.state.WriteHistory(f)
	return errors.Join(err, writeErr, f.Close())
}
