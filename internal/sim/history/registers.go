package history

import (
	"fmt"
	"io"
	"math"

	"github.com/anishathalye/porcupine"
)

// Verdict is what CheckRegisters can say.
type Verdict uint8

// The verdicts. Undecided means that the search was given up at its limit:
// nothing is known then.
const (
	Linearizable Verdict = iota
	NotLinearizable
	Undecided
)

// String names the verdict.
func (v Verdict) String() string {
	return [...]string{"linearizable", "not linearizable", "undecided"}[v]
}

// registerInput is what one transaction does to one register: at most one
// write, after at most one read.
type registerInput struct {
	key            string
	reads, writes  bool
	absent, remove bool
	seen, written  string
	// unknown says that the outcome is not known: the operation may take effect
	// at any time after its call, or never.
	unknown bool
}

// CheckRegisters decides by porcupine whether each key of the history by
// itself is a linearizable register. Each transaction counts as one operation
// on each key: what it read first, together with what it wrote last. Aborted
// transactions and snapshot reads are left out; versions are not looked at.
//
// The problem is NP-hard, and in the simulation no time passes while the
// program computes, so the limit is a number of steps, for each key. Of a range
// read the rows count; a history with clears of ranges, or with lists, is
// ErrUnusable.
func CheckRegisters(h *History, maxSteps int) (Verdict, error) {
	parts, err := registerParts(h)
	if err != nil {
		return Undecided, err
	}
	verdict := Linearizable
	for _, key := range sortedKeys(parts) {
		switch v := checkRegister(parts[key], maxSteps); v {
		case NotLinearizable:
			return v, nil
		case Undecided:
			verdict = v
		}
	}
	return verdict, nil
}

// WriteHTML writes porcupine's picture of the history as registers: what
// overlapped, what was seen, and how far each part can be put into an order.
// Each key's search is given up after maxSteps.
func WriteHTML(w io.Writer, h *History, maxSteps int) error {
	parts, err := registerParts(h)
	if err != nil {
		return err
	}
	var all []porcupine.Operation
	worst := ""
	for _, key := range sortedKeys(parts) {
		if worst == "" && checkRegister(parts[key], maxSteps) == NotLinearizable {
			worst = key
		}
		all = append(all, parts[key]...)
	}
	if worst != "" {
		// One bad key is what the reader looks for; the others hide it.
		all = parts[worst]
	}
	model := registerModel(newBudget(maxSteps))
	_, info := porcupine.CheckOperationsVerbose(model, all, 0)
	if err := porcupine.Visualize(model, info, w); err != nil {
		return fmt.Errorf("picture of a history: %w", err)
	}
	return nil
}

func checkRegister(part []porcupine.Operation, maxSteps int) Verdict {
	b := newBudget(maxSteps)
	model := registerModel(b)
	model.Partition = nil
	switch result := porcupine.CheckOperationsTimeout(model, part, 0); {
	case result == porcupine.Ok:
		return Linearizable
	case b.exhausted():
		return Undecided
	}
	return NotLinearizable
}

// budget counts the steps of a search. When it is used up no step succeeds any
// more, so that the search ends soon.
type budget struct{ left int }

func newBudget(steps int) *budget { return &budget{left: steps} }

func (b *budget) exhausted() bool { return b.left <= 0 }

func (b *budget) take() bool {
	b.left--
	return b.left > 0
}

// content is the state of a register.
type content struct {
	present bool
	value   string
}

func (c content) String() string { return show(!c.present, c.value) }

func registerModel(b *budget) porcupine.Model {
	return porcupine.Model{
		Partition: func(all []porcupine.Operation) [][]porcupine.Operation {
			byKey := make(map[string][]porcupine.Operation)
			for _, op := range all {
				key := op.Input.(registerInput).key
				byKey[key] = append(byKey[key], op)
			}
			var parts [][]porcupine.Operation
			for _, key := range sortedKeys(byKey) {
				parts = append(parts, byKey[key])
			}
			return parts
		},
		Init: func() any { return content{} },
		Step: func(state, input, _ any) (bool, any) {
			if !b.take() {
				return false, state
			}
			return step(state.(content), input.(registerInput))
		},
		DescribeOperation: func(input, _ any) string { return input.(registerInput).String() },
		DescribeState:     func(state any) string { return state.(content).String() },
	}
}

// step is a register. An operation whose outcome is unknown can always be
// taken as one that never happened, by putting it at the very end, except that
// it must not be in the way there: so it always succeeds, and changes nothing
// unless what it read is so.
func step(c content, in registerInput) (bool, any) {
	agrees := !in.reads || c == content{present: !in.absent, value: in.seen}
	if !agrees {
		return in.unknown, c
	}
	if !in.writes {
		return true, c
	}
	return true, content{present: !in.remove, value: in.written}
}

// String is the operation in words.
func (in registerInput) String() string {
	text := in.key + ":"
	if in.reads {
		text += " read " + show(in.absent, in.seen)
	}
	if in.writes {
		text += " wrote " + show(in.remove, in.written)
	}
	if in.unknown {
		text += " (unknown)"
	}
	return text
}

// registerParts reduces a history to operations on single keys.
func registerParts(h *History) (map[string][]porcupine.Operation, error) {
	parts := make(map[string][]porcupine.Operation)
	for n := range h.Transactions {
		t := &h.Transactions[n]
		inputs, err := registerInputs(n, t)
		if err != nil {
			return nil, err
		}
		for _, in := range inputs {
			op := porcupine.Operation{ClientId: t.Client, Input: *in, Call: t.Begin, Return: t.End}
			if t.Outcome == Unknown {
				in.unknown = true
				op.Input, op.Return = *in, math.MaxInt64
			}
			if t.Outcome == Aborted || t.Outcome == Unknown && !in.writes {
				continue
			}
			parts[in.key] = append(parts[in.key], op)
		}
	}
	return parts, nil
}

// registerInputs returns what a transaction does to each key, in the order in
// which it came to them.
func registerInputs(n int, t *Transaction) ([]*registerInput, error) {
	byKey := make(map[string]*registerInput)
	var all []*registerInput
	input := func(key string) *registerInput {
		if byKey[key] == nil {
			byKey[key] = &registerInput{key: key}
			all = append(all, byKey[key])
		}
		return byKey[key]
	}
	for i := range t.Ops {
		op := &t.Ops[i]
		switch op.Kind {
		case Read:
			input(op.Key).read(op, op.Absent, op.Value)
		case ReadRange:
			for _, row := range op.Rows {
				input(row.Key).read(op, false, row.Value)
			}
		case Write:
			in := input(op.Key)
			in.writes, in.remove, in.written = true, false, op.Value
		case Clear:
			in := input(op.Key)
			in.writes, in.remove, in.written = true, true, ""
		default:
			return nil, unusable("transaction %d: %v; that is not an operation on single registers", n, op)
		}
	}
	return all, nil
}

// read notes the first read of a register, unless it sees the transaction's own
// write.
func (in *registerInput) read(op *Op, absent bool, value string) {
	if !in.reads && !in.writes && !op.Snapshot {
		in.reads, in.absent, in.seen = true, absent, value
	}
}
