package check

import (
	"errors"
	"slices"

	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/tests/conformance/generate"
	"github.com/plinthdb/plinth/tests/conformance/machine"
	"github.com/plinthdb/plinth/tests/conformance/model"
)

// troubles are the numbers of the errors by which a store says that it is in
// trouble.
func troubles() []int { return []int{1007, 1009, 1021, 1022, 1031, 1037, 1039, 1042, 1051, 1078, 1213} }

// CheckInTrouble is Check for a program of one machine on a store that may die
// or lose its answers meanwhile. A program is ended at the first error that the
// trouble caused, which disturbed returns. Then the store must hold what the
// instructions before leave behind, or those up to the one with the error: it
// may have been a commit of unknown outcome.
func (s *Subject) CheckInTrouble(p *generate.Program) (difference string, disturbed *machine.Disturbance, err error) {
	if err := s.empty(); err != nil {
		return "", nil, err
	}
	if err := p.Load(s.Client); err != nil {
		return "", nil, err
	}
	err = machine.RunUndisturbed(s.Client, p.Threads[0].Prefix, func(code int) bool { return slices.Contains(troubles(), code) })
	if err != nil && !errors.As(err, &disturbed) {
		return "", nil, err
	}
	got, err := dump(s.Client)
	if err != nil {
		return "", disturbed, err
	}
	stamps := s.stamps.take()
	if disturbed == nil {
		want, err := Predict(p, s.Dialect, stamps)
		if err != nil {
			return "", nil, err
		}
		return Difference(p, got, want), nil, nil
	}
	difference, err = s.judge(p, disturbed.Instruction, got, stamps)
	return difference, disturbed, err
}

// judge compares what a program left behind that was ended by an error of an
// instruction.
func (s *Subject) judge(p *generate.Program, instruction int, got Outcome, stamps []wire.Stamp) (difference string, err error) {
	before, err := predictFirst(p, instruction, s.Dialect, stamps)
	if err != nil {
		return "", err
	}
	difference = Difference(p, got, before)
	if difference == "" {
		return "", nil
	}
	if loggedInPart(p.Threads[0].Instructions()[instruction]) {
		return "", nil
	}
	// The stamp of a commit that was never acknowledged is found in what it wrote.
	for _, stamp := range append([]wire.Stamp{{}}, newStamps(got, before)...) {
		after, err := predictFirst(p, instruction+1, s.Dialect, append(slices.Clone(stamps), stamp))
		if err != nil || Difference(p, got, after) == "" {
			return "", err
		}
	}
	return difference, nil
}

// loggedInPart reports whether an instruction commits several transactions.
func loggedInPart(instruction []any) bool { return instruction[0] == "LOG_STACK" }

// predictFirst predicts what the first n instructions of a program leave behind.
func predictFirst(p *generate.Program, n int, dialect model.Dialect, stamps []wire.Stamp) (Outcome, error) {
	if !p.Stamps {
		stamps = nil
	}
	store := model.New(dialect, stamps)
	if err := p.Load(store); err != nil {
		return nil, err
	}
	m := machine.New(store, p.Threads[0].Prefix)
	for i, instruction := range p.Threads[0].Instructions()[:n] {
		if err := m.Execute(i, instruction); err != nil {
			return nil, err
		}
	}
	return store.Rows(), m.Wait()
}

// newStamps returns all that could be a stamp in the rows that are not as they
// were.
func newStamps(got, before Outcome) (stamps []wire.Stamp) {
	for _, key := range keys(got, nil) {
		if value, ok := before[key]; ok && value == got[key] {
			continue
		}
		for _, text := range []string{key, got[key]} {
			for at := 0; at+wire.StampBytes <= len(text); at++ {
				stamps = append(stamps, wire.Stamp([]byte(text[at:at+wire.StampBytes])))
			}
		}
	}
	return stamps
}
