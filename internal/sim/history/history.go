package history

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"
)

// Outcome is what the client learned of a transaction.
type Outcome uint8

// The outcomes. See H3 for the meaning of Unknown.
const (
	Committed Outcome = iota
	Aborted
	Unknown
)

// String names the outcome.
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return fmt.Sprint("outcome ", uint8(o))
}

var outcomeNames = [...]string{"committed", "aborted", "unknown"}

// Kind is a kind of operation.
type Kind uint8

// The operations. A key is either a register, for Read, ReadRange, Write, Clear
// and ClearRange, or a list, for ReadList and Append.
const (
	// Read saw Value at Key, or that there is none if Absent.
	Read Kind = iota
	// ReadList saw the elements List at Key; an absent list is empty.
	ReadList
	// ReadRange saw Rows in the range from Key to End, and nothing else.
	ReadRange
	// Write gives Key the Value, which no other write to it may ever have.
	Write
	// Clear makes Key absent, ClearRange all keys from Key to End.
	Clear
	ClearRange
	// Append adds the element Value, unique like a written value, to Key.
	Append
)

// Op is one operation. Reads and writes are in the order of the client's calls:
// a read sees the transaction's own writes before it.
type Op struct {
	Kind Kind
	Key  string
	// End is the end of a range, which it does not contain.
	End    string   `json:",omitempty"`
	Value  string   `json:",omitempty"`
	Absent bool     `json:",omitempty"`
	List   []string `json:",omitempty"`
	Rows   []Row    `json:",omitempty"`
	// Snapshot marks a read that does not protect what it read from changes
	// before the commit (H4).
	Snapshot bool `json:",omitempty"`
}

// Row is a key and its value in a range.
type Row struct{ Key, Value string }

// Transaction is one transaction as its client saw it.
type Transaction struct {
	Client int
	// Begin and End are times in nanoseconds: before the first operation was
	// sent, and after the outcome was known. The End of an unknown transaction
	// says when the client gave up.
	Begin, End int64
	// ReadVersion is the version of all reads, CommitVersion that of the
	// commit; 0 is not known, or that there is none. Order is the place among
	// the transactions committed at one version, as in the versionstamp. An
	// unknown outcome with a CommitVersion has happened.
	ReadVersion, CommitVersion int64
	Order                      int
	Outcome                    Outcome
	Ops                        []Op
}

// History is what all clients did. At its beginning every key is absent.
type History struct {
	Transactions []Transaction
}

// ErrUnusable is wrapped by the errors for histories that cannot be checked,
// exported or encoded: the fault is the recorder's, not the store's.
var ErrUnusable = errors.New("unusable history")

// ErrClears is wrapped, next to ErrUnusable, by the error for a history with
// clears where they cannot be written: only other transactions would do.
var ErrClears = errors.New("it has clears")

func unusable(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUnusable, fmt.Sprintf(format, args...))
}

// Encode returns h in the form that Decode reads. Keys and values must be
// UTF-8: ErrUnusable.
func (h *History) Encode() ([]byte, error) {
	for n, t := range h.Transactions {
		for _, op := range t.Ops {
			if !op.isText() {
				return nil, unusable("transaction %d has a key or value that is not UTF-8", n)
			}
		}
	}
	return json.Marshal(h)
}

func (op *Op) isText() bool {
	ok := utf8.ValidString(op.Key) && utf8.ValidString(op.End) && utf8.ValidString(op.Value)
	for _, e := range op.List {
		ok = ok && utf8.ValidString(e)
	}
	for _, row := range op.Rows {
		ok = ok && utf8.ValidString(row.Key) && utf8.ValidString(row.Value)
	}
	return ok
}

// Decode reads what Encode returned.
func Decode(data []byte) (*History, error) {
	h := new(History)
	if err := json.Unmarshal(data, h); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnusable, err)
	}
	return h, nil
}

// Writes reports whether operations of the kind change anything.
func (k Kind) Writes() bool { return k == Write || k == Clear || k == ClearRange || k == Append }

// writes reports whether the transaction changed anything.
func (t *Transaction) writes() bool {
	return slices.ContainsFunc(t.Ops, func(op Op) bool { return op.Kind.Writes() })
}
