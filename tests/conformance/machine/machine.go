package machine

import (
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/plinthdb/plinth/kv/tuple"
)

// Machine runs one program. It belongs to one goroutine.
type Machine struct {
	client     Client
	operations map[string]operation
	shared     *shared
	prefix     []byte
	// name is that of the current transaction.
	name        string
	stack       stack
	lastVersion int64
	directories directories
	// disturbs says which errors end the program, nil if none do; disturbance is
	// the first one.
	disturbs    func(code int) bool
	disturbance *Disturbance
}

// shared is what the machines of one test have in common.
type shared struct {
	mu struct {
		sync.Mutex
		transactions map[string]Transaction
		failed       error // the first machine's that failed
		// disturbances are those that ended machines.
		disturbances []*Disturbance
	}
	machines sync.WaitGroup
}

// New returns a machine that instructions are given to by Execute.
func New(client Client, prefix []byte) *Machine {
	s := &shared{}
	s.mu.transactions = make(map[string]Transaction)
	return newMachine(client, s, allOperations(), prefix)
}

func newMachine(client Client, s *shared, operations map[string]operation, prefix []byte) *Machine {
	return &Machine{
		client:      client,
		operations:  operations,
		shared:      s,
		prefix:      prefix,
		name:        string(prefix),
		directories: directories{list: []any{client.Directories()}},
	}
}

// Run reads the program that is stored under prefix, runs it, and waits for
// all machines that it started. It returns why the first of them failed, mostly
// a *ProgramError.
func Run(client Client, prefix []byte) error {
	m := New(client, prefix)
	m.runAndNote()
	return m.Wait()
}

// Wait waits for all machines that this one started, and returns why the first
// of them failed.
func (m *Machine) Wait() error {
	m.shared.machines.Wait()
	m.shared.mu.Lock()
	defer m.shared.mu.Unlock()
	return m.shared.mu.failed
}

// runAndNote runs the stored program and notes its failure.
func (m *Machine) runAndNote() {
	err := m.run()
	m.shared.mu.Lock()
	defer m.shared.mu.Unlock()
	switch {
	case m.disturbance != nil:
		m.shared.mu.disturbances = append(m.shared.mu.disturbances, m.disturbance)
	case errors.Is(err, errAbandoned): // the other one tells why
	case m.shared.mu.failed == nil:
		m.shared.mu.failed = err
	}
}

// pageRows is how many instructions are read at a time.
const pageRows = 1000

// run reads the program page by page and executes it.
func (m *Machine) run() error {
	next, end, err := m.client.Tuples().Range(tuple.Tuple{m.prefix})
	if err != nil {
		return err
	}
	for index := 0; ; {
		var page []KeyValue
		err := m.client.Read(func(r Reader) (err error) {
			page, err = r.Range(next, end, RangeOptions{Limit: pageRows})
			return err
		})
		if err != nil {
			return fmt.Errorf("reading the program %q: %w", m.prefix, err)
		}
		for _, row := range page {
			instruction, err := m.client.Tuples().Unpack(row.Value)
			if err != nil {
				return fmt.Errorf("program %q, instruction %d: %w", m.prefix, index, err)
			}
			if err := m.Execute(index, instruction); err != nil {
				return err
			}
			index++
		}
		if len(page) < pageRows {
			return nil
		}
		next = append(page[len(page)-1].Key, 0)
	}
}

// Execute executes one instruction. An error of the client goes to the stack; a
// *ProgramError is returned if the instruction makes no sense.
func (m *Machine) Execute(index int, instruction tuple.Tuple) error {
	name, err := tuple.At[string](instruction, 0)
	if err != nil {
		return &ProgramError{m.prefix, index, "", err}
	}
	c, err := m.decode(index, name)
	if err != nil {
		return &ProgramError{m.prefix, index, name, err}
	}
	if len(instruction) > 1 {
		c.argument = instruction[1]
	}
	err = c.run(m, c)
	packed, numbered := m.numbered(index, err)
	switch {
	case m.disturbance != nil:
		return m.disturbance
	case numbered:
		m.stack.push(index, packed)
	case err != nil:
		return &ProgramError{m.prefix, index, name, err}
	}
	return nil
}

// numbered returns what stands on the stack for an error of an instruction, if
// it has a number.
func (m *Machine) numbered(instruction int, err error) (packed []byte, ok bool) {
	if err == nil {
		return nil, false
	}
	code, ok := m.client.ErrorCode(err)
	if !ok {
		return nil, false
	}
	m.notice(instruction, code)
	return m.packedError(code)
}

// packedError returns what stands on the stack for the error with a number.
func (m *Machine) packedError(code int) (packed []byte, ok bool) {
	packed, err := m.client.Tuples().Pack(tuple.Tuple{[]byte("ERROR"), []byte(strconv.Itoa(code))})
	return packed, err == nil
}

// notPresent is what stands on the stack for no value.
const notPresent = "RESULT_NOT_PRESENT"

// pop removes the top item and waits for it.
func (m *Machine) pop() (item, error) {
	top, err := m.stack.take()
	if err != nil {
		return top, err
	}
	future, ok := top.value.(Future)
	if !ok {
		return top, nil
	}
	value, err := future()
	if packed, numbered := m.numbered(top.instruction, err); numbered {
		value = packed
	} else if err != nil {
		return top, err
	} else if value == nil {
		value = []byte(notPresent)
	}
	top.value = value
	return top, nil
}

// values returns a reader of operands.
func (m *Machine) values() *values { return &values{m: m} }

// Depth returns how many items are on the stack.
func (m *Machine) Depth() int { return len(m.stack.items) }

// Peek returns the item at a depth, 0 being the top, and whether it is a future
// that nobody has waited for. It changes nothing.
func (m *Machine) Peek(depth int) (value any, future bool) {
	value = m.stack.items[len(m.stack.items)-1-depth].value
	_, future = value.(Future)
	return value, future
}

// errNoTransaction says that there is no transaction by a name.
var errNoTransaction = errors.New("the current transaction was never made; NEW_TRANSACTION makes it")

// transaction returns the current transaction.
func (m *Machine) transaction() (Transaction, error) {
	m.shared.mu.Lock()
	defer m.shared.mu.Unlock()
	t := m.shared.mu.transactions[m.name]
	if t == nil {
		return nil, errNoTransaction
	}
	return t, nil
}

// begin makes a new transaction the current one; with keep only if there is
// none by its name.
func (m *Machine) begin(keep bool) error {
	m.shared.mu.Lock()
	defer m.shared.mu.Unlock()
	if keep && m.shared.mu.transactions[m.name] != nil {
		return nil
	}
	t, err := m.client.Begin()
	if err == nil {
		m.shared.mu.transactions[m.name] = t
	}
	return err
}
