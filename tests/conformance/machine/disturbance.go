package machine

import (
	"errors"
	"fmt"
)

// Disturbance ends a program at an error that says something of the world, and
// not of the program.
type Disturbance struct {
	// Prefix is the machine's.
	Prefix []byte
	// Instruction is the number of the one that the error came from. If that made
	// a future the program went on until it waited for that.
	Instruction int
	// Code is the error's number.
	Code int
}

// Error names machine, instruction and number.
func (d *Disturbance) Error() string {
	return fmt.Sprintf("program %q, instruction %d was disturbed by error %d", d.Prefix, d.Instruction, d.Code)
}

// RunUndisturbed is Run for a program on a store in trouble: a machine ends at
// the first error whose number disturbs says is one of the world's. An error
// that ON_ERROR returns never is. It returns how machines ended so, at most one
// entry for each. A machine that waits for another that did not come to its end
// is ended as well, without an entry.
func RunUndisturbed(client Client, prefix []byte, disturbs func(code int) bool) ([]*Disturbance, error) {
	m := New(client, prefix)
	m.disturbs = disturbs
	m.runAndNote()
	err := m.Wait()
	m.shared.mu.Lock()
	defer m.shared.mu.Unlock()
	return m.shared.mu.disturbances, err
}

// errAbandoned ends a machine that waits for one that will never be done.
var errAbandoned = errors.New("another machine did not come to its end")

// abandoned returns an error if a machine of the test did not come to its end.
func (m *Machine) abandoned() error {
	m.shared.mu.Lock()
	defer m.shared.mu.Unlock()
	if m.shared.mu.failed != nil || len(m.shared.mu.disturbances) > 0 {
		return errAbandoned
	}
	return nil
}

// notice notes an error of an instruction if it is the world's.
func (m *Machine) notice(instruction, code int) {
	if m.disturbs != nil && m.disturbance == nil && m.disturbs(code) {
		m.disturbance = &Disturbance{Prefix: m.prefix, Instruction: instruction, Code: code}
	}
}

// withoutDisturbance returns a future whose error is the program's own doing.
func (m *Machine) withoutDisturbance(f Future) Future {
	if m.disturbs == nil {
		return f
	}
	value, err := f()
	if code, ok := m.client.ErrorCode(err); ok {
		if packed, ok := m.packedError(code); ok {
			value, err = packed, nil
		}
	}
	return func() (any, error) { return value, err }
}
