package machine

import (
	"errors"
	"fmt"
)

var (
	// ErrNoStamp is returned by Tuples.PackWithVersionstamp for a tuple without
	// an incomplete versionstamp.
	ErrNoStamp = errors.New("tuple holds no incomplete versionstamp")
	// ErrManyStamps is returned for one that holds more than one.
	ErrManyStamps = errors.New("tuple holds more than one incomplete versionstamp")
	// ErrUnknownOperation is wrapped by the error for an instruction that the
	// machine does not have, or not in this variant.
	ErrUnknownOperation = errors.New("no such operation")
	// ErrStackUnderflow is wrapped by the error for an instruction that pops
	// more than there is.
	ErrStackUnderflow = errors.New("stack is empty")
)

// ProgramError says at which instruction a program could not go on.
type ProgramError struct {
	// Prefix is the machine's.
	Prefix []byte
	// Instruction counts from 0.
	Instruction int
	// Operation is its name.
	Operation string
	// Err is why.
	Err error
}

// Error names program, instruction and reason.
func (e *ProgramError) Error() string {
	return fmt.Sprintf("program %q, instruction %d %s: %v", e.Prefix, e.Instruction, e.Operation, e.Err)
}

// Unwrap returns Err.
func (e *ProgramError) Unwrap() error { return e.Err }

// typeError says that an item on the stack is not of the type that an
// instruction needs.
func typeError(want string, got any) error {
	return fmt.Errorf("needs %s, but the stack has %T", want, got)
}
