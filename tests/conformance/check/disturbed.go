package check

import (
	"bytes"
	"slices"

	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/tests/conformance/generate"
	"github.com/plinthdb/plinth/tests/conformance/machine"
	"github.com/plinthdb/plinth/tests/conformance/model"
)

// troubles are the numbers of the errors by which a store says that it is in
// trouble.
func troubles() []int { return []int{1007, 1009, 1021, 1022, 1031, 1037, 1039, 1042, 1051, 1078, 1213} }

// CheckInTrouble is Check on a store that may die or lose its answers
// meanwhile. A machine is ended at the first error that the trouble caused; how
// is returned, one entry a machine. Then the store must hold what its
// instructions before leave behind, or those up to the one with the error: it
// may have been a commit of unknown outcome.
func (s *Subject) CheckInTrouble(p *generate.Program) (difference string, disturbed []*machine.Disturbance, err error) {
	if err := s.empty(); err != nil {
		return "", nil, err
	}
	if err := p.Load(s.Client); err != nil {
		return "", nil, err
	}
	disturbed, err = machine.RunUndisturbed(s.Client, p.Threads[0].Prefix, func(code int) bool { return slices.Contains(troubles(), code) })
	if err != nil {
		return "", disturbed, err
	}
	got, err := dump(s.Client)
	if err != nil {
		return "", disturbed, err
	}
	stamps := s.stamps.take()
	switch {
	case len(disturbed) == 0:
		want, err := Predict(p, s.Dialect, stamps)
		if err != nil {
			return "", nil, err
		}
		difference = Difference(p, got, want)
	case len(disturbed) == 1 && bytes.Equal(disturbed[0].Prefix, p.Threads[0].Prefix):
		difference, err = s.judge(p, disturbed[0].Instruction, got, stamps)
	default:
		difference, err = s.judgeThreads(p, disturbed, got)
	}
	return difference + overlaps(p, got), disturbed, err
}

// judgeThreads compares what a program left behind some of whose machines, other
// than the main one, were ended by an error. Each wrote to keys of its own.
func (s *Subject) judgeThreads(p *generate.Program, disturbed []*machine.Disturbance, got Outcome) (difference string, err error) {
	for i := 1; i < len(p.Threads); i++ {
		d, err := s.judgeThread(p, i, disturbed, got)
		if err != nil {
			return "", err
		}
		difference += d
	}
	// The main machine waits for all others. It logs all or nothing.
	if own := got.ownedBy(p, 0); len(own) > 0 {
		want, err := Predict(p, s.Dialect, nil)
		if err != nil {
			return "", err
		}
		difference += Difference(p, own, want.ownedBy(p, 0))
	}
	return difference, nil
}

// judgeThread compares what one thread left behind.
func (s *Subject) judgeThread(p *generate.Program, thread int, disturbed []*machine.Disturbance, got Outcome) (difference string, err error) {
	alone, own := p.Alone(thread), got.ownedBy(p, thread)
	instructions := alone.Threads[0].Instructions()
	compare := func(n int) (string, error) {
		want, err := predictFirst(alone, n, s.Dialect, nil)
		return Difference(p, own, want.ownedBy(p, thread)), err
	}
	i := slices.IndexFunc(disturbed, func(d *machine.Disturbance) bool { return bytes.Equal(d.Prefix, p.Threads[thread].Prefix) })
	if i < 0 {
		return compare(len(instructions))
	}
	end := disturbed[i].Instruction
	difference, err = compare(end)
	if err != nil || difference == "" || loggedInPart(instructions[end]) {
		return "", err
	}
	after, err := compare(end + 1)
	if err != nil || after == "" {
		return "", err
	}
	return difference, nil
}

// ownedBy returns the rows that a thread of a program alone writes.
func (o Outcome) ownedBy(p *generate.Program, thread int) Outcome {
	own := Outcome{}
	for key, value := range o {
		if p.Owns(thread, key) {
			own[key] = value
		}
	}
	return own
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
