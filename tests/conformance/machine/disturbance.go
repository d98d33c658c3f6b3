package machine

import "fmt"

// Disturbance ends a program at an error that says something of the world, and
// not of the program.
type Disturbance struct {
	// Instruction is the number of the one that the error came from. If that made
	// a future the program went on until it waited for that.
	Instruction int
	// Code is the error's number.
	Code int
}

// Error names instruction and number.
func (d *Disturbance) Error() string {
	return fmt.Sprintf("instruction %d was disturbed by error %d", d.Instruction, d.Code)
}

// RunUndisturbed is Run for a program of one machine on a store in trouble: at
// the first error whose number disturbs says is one of the world's it returns a
// *Disturbance. An error that ON_ERROR returns never is.
func RunUndisturbed(client Client, prefix []byte, disturbs func(code int) bool) error {
	m := New(client, prefix)
	m.disturbs = disturbs
	if err := m.run(); err != nil {
		return err
	}
	return m.Wait()
}

// notice notes an error of an instruction if it is the world's.
func (m *Machine) notice(instruction, code int) {
	if m.disturbs != nil && m.disturbance == nil && m.disturbs(code) {
		m.disturbance = &Disturbance{Instruction: instruction, Code: code}
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
