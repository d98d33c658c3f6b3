package shell

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/plinthdb/plinth/cmd/plinth/internal/rowjson"
	"github.com/plinthdb/plinth/kv"
)

// reply is what a command has to say.
type reply struct {
	// text is for people: lines, each with its end.
	text string
	// result is for scripts: what is marshalled under "result", nil if there is
	// nothing to say but that it worked.
	result any
}

// textReply is a reply whose text scripts get as it is.
func textReply(text string) reply { return reply{text: text, result: fields{{"text", text}}} }

// fields is an object with its members in order. A value of type []byte is
// written as package rowjson does.
type fields []field

type field struct {
	name  string
	value any
}

// MarshalJSON implements json.Marshaler.
func (f fields) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, member := range f {
		if i > 0 {
			out = append(out, ',')
		}
		if b, isBytes := member.value.([]byte); isBytes {
			out = rowjson.AppendMember(out, member.name, b, rowjson.Readable)
			continue
		}
		value, err := marshal(member.value)
		if err != nil {
			return nil, err
		}
		out = fmt.Appendf(out, "%q:%s", member.name, value)
	}
	return append(out, '}'), nil
}

// marshal is json.Marshal, without HTML's escapes.
func marshal(v any) (json.RawMessage, error) {
	var out rawWriter
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return json.RawMessage(out[:len(out)-1]), nil // Without the line end.
}

// rawWriter is a byte slice that grows by what is written.
type rawWriter []byte

func (w *rawWriter) Write(p []byte) (int, error) {
	*w = append(*w, p...)
	return len(p), nil
}

// answer is the line of JSON that a command gives.
type answer struct {
	// Command is the command as it can be entered; empty if the line could not
	// be read.
	Command string `json:"command,omitempty"`
	OK      bool   `json:"ok"`
	Result  any    `json:"result,omitempty"`
	// Error says why it failed.
	Error *failure `json:"error,omitempty"`
}

// failure describes an error to scripts.
type failure struct {
	Message string `json:"message"`
	// Code and Name are FoundationDB's; absent for what is no error of the
	// store.
	Code int    `json:"code,omitempty"`
	Name string `json:"name,omitempty"`
	// Column is where the line could not be read, from 1.
	Column    int  `json:"column,omitempty"`
	Retryable bool `json:"retryable,omitempty"`
	// MaybeCommitted says that nobody knows whether it was committed.
	MaybeCommitted bool `json:"maybe_committed,omitempty"`
	// TransactionEnded says that the error has ended the transaction.
	TransactionEnded bool `json:"transaction_ended,omitempty"`
	// Conflicts are the ranges that others changed, if the transaction had the
	// option report_conflicting_keys.
	Conflicts []fields `json:"conflicts,omitempty"`
}

// describe makes a failure of an error.
func describe(err error) *failure {
	f := &failure{Message: errorText(err), Retryable: kv.Retryable(err)}
	var store *kv.Error
	if errors.As(err, &store) {
		f.Code, f.Name = store.Code, store.Name
	}
	if errors.As(err, new(*lockedError)) {
		f.Code, f.Name = kv.ErrDatabaseLocked.Code, kv.ErrDatabaseLocked.Name
	}
	var syntax *SyntaxError
	if errors.As(err, &syntax) {
		f.Column = syntax.Column
	}
	var conflict *conflictError
	if errors.As(err, &conflict) {
		for _, r := range conflict.ranges {
			f.Conflicts = append(f.Conflicts, fields{{"begin", r.Begin}, {"end", r.End}})
		}
	}
	return f
}

// printAnswer prints a line of JSON.
func (s *Session) printAnswer(a answer) {
	line, err := marshal(a)
	if err != nil {
		line, err = marshal(answer{Command: a.Command, Error: &failure{Message: err.Error()}})
	}
	if err == nil {
		fmt.Fprintf(s.out, "%s\n", line)
	}
}
