package generate

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/plinthdb/plinth/kv/tuple"
	"github.com/plinthdb/plinth/tests/conformance/machine"
	"github.com/plinthdb/plinth/tests/conformance/model"
)

// Program is a test: the first thread is the main one and starts the others.
type Program struct {
	Kind    string
	Seed    uint64
	Threads []Thread
	// Stamps says that stamps of commits are among the results. The commits of
	// such a program have one order.
	Stamps bool
	// OnlyLog says that only what was logged can be predicted.
	OnlyLog bool
	// Allocates says that all its directories get prefixes that no other one's
	// begins with.
	Allocates bool
}

// Thread is what one machine executes.
type Thread struct {
	Prefix []byte
	Steps  []Step
}

// Step is instructions that belong together.
type Step []tuple.Tuple

// LogPrefix is what all keys begin with that programs log to.
const LogPrefix = "log"

// rowsAtOnce bounds a transaction that loads a program.
const rowsAtOnce = 500

// Load writes the instructions of the program to the store.
func (p *Program) Load(c machine.Client) error {
	var rows []machine.KeyValue
	for _, t := range p.Threads {
		for i, instruction := range t.Instructions() {
			key, err := c.Tuples().Pack(tuple.Tuple{t.Prefix, int64(i)})
			if err != nil {
				return err
			}
			value, err := model.Tuples{}.Encode(instruction)
			if err != nil {
				return err
			}
			rows = append(rows, machine.KeyValue{Key: key, Value: value})
		}
	}
	for len(rows) > 0 {
		n := min(len(rows), rowsAtOnce)
		err := c.Update(func(t machine.Transaction) error {
			for _, row := range rows[:n] {
				t.Set(row.Key, row.Value)
			}
			return nil
		})
		if err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// Instructions returns the instructions of all steps.
func (t *Thread) Instructions() (all []tuple.Tuple) {
	for _, s := range t.Steps {
		all = append(all, s...)
	}
	return all
}

// String lists the program, one step a line.
func (p *Program) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s program of seed %d\n", p.Kind, p.Seed)
	for _, t := range p.Threads {
		fmt.Fprintf(&b, "thread %q\n", t.Prefix)
		i := 0
		for _, s := range t.Steps {
			fmt.Fprintf(&b, "%5d ", i)
			for _, instruction := range s {
				fmt.Fprintf(&b, " %s", instructionText(instruction))
			}
			b.WriteByte('\n')
			i += len(s)
		}
	}
	return b.String()
}

func instructionText(i tuple.Tuple) string {
	if len(i) == 1 {
		return fmt.Sprint(i[0])
	}
	return i[1:].String()
}

// Explain returns a key for people to read: for one of LOG_STACK it tells the
// instruction that the item came from.
func (p *Program) Explain(key string) string {
	text := tuple.Printable([]byte(key))
	slash := strings.LastIndex(key, "/")
	if slash < 0 {
		return text
	}
	t, err := tuple.Unpack([]byte(key[slash+1:]))
	if err != nil || len(t) != 2 {
		return text
	}
	index, err := tuple.At[int](t, 1)
	if err != nil {
		return text
	}
	for _, thread := range p.Threads {
		all := thread.Instructions()
		if strings.HasPrefix(key, fmt.Sprintf("%s/%s/", LogPrefix, thread.Prefix)) && index < len(all) {
			return fmt.Sprintf("%s, instruction %d: %s", text, index, instructionText(all[index]))
		}
	}
	return text
}

// builder makes the steps of one thread.
type builder struct {
	*rand.Rand
	thread Thread
	step   Step
	logs   int
}

// kinds are the numbers that part the random numbers of programs.
const (
	kindAPI = iota + 1
	kindThreads
	kindTuple
	kindDirectory
	kindAllocator
)

func newBuilder(kind, seed uint64, prefix string) *builder {
	return &builder{Rand: rand.New(rand.NewPCG(kind, seed)), thread: Thread{Prefix: []byte(prefix)}}
}

// op adds an instruction to the step that is being made.
func (b *builder) op(name string) { b.step = append(b.step, tuple.Tuple{name}) }

// push adds instructions that push values; the last one ends on top.
func (b *builder) push(values ...any) {
	for _, v := range values {
		b.step = append(b.step, tuple.Tuple{"PUSH", v})
	}
}

// call pushes operands, the first of which an operation is to pop first, and
// does the operation.
func (b *builder) call(name string, operands ...any) {
	for i := len(operands) - 1; i >= 0; i-- {
		b.push(operands[i])
	}
	b.op(name)
}

// end ends the step.
func (b *builder) end() {
	if len(b.step) > 0 {
		b.thread.Steps = append(b.thread.Steps, b.step)
		b.step = nil
	}
}

// waitFor waits for the top n futures.
func (b *builder) waitFor(n int) {
	for depth := range n {
		if depth == 0 {
			b.op("WAIT_FUTURE")
			continue
		}
		b.call("SWAP", int64(depth))
		b.op("WAIT_FUTURE")
		b.call("SWAP", int64(depth))
	}
}

// logStack writes the stack to keys of its own.
func (b *builder) logStack() {
	b.call("LOG_STACK", b.logKey())
	b.end()
}

// logKey returns a prefix that nothing was logged to.
func (b *builder) logKey() []byte {
	b.logs++
	return fmt.Appendf(nil, "%s/%s/%03d/", LogPrefix, b.thread.Prefix, b.logs)
}

func (b *builder) chance(percent int) bool { return b.IntN(100) < percent }

// pick returns one of the values.
func pick[T any](b *builder, values ...T) T { return values[b.IntN(len(values))] }

// weighted is one of several ways to make a step.
type weighted struct {
	weight int
	make   func()
}

// choose makes a step.
func (b *builder) choose(ways []weighted) {
	sum := 0
	for _, w := range ways {
		sum += w.weight
	}
	n := b.IntN(sum)
	for _, w := range ways {
		if n -= w.weight; n < 0 {
			w.make()
			b.end()
			return
		}
	}
}
