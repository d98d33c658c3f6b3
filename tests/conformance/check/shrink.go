package check

import "github.com/plinthdb/plinth/tests/conformance/generate"

// maxShrinkRuns bounds how often Shrink runs a program.
const maxShrinkRuns = 500

// Shrink leaves out as many steps of a program as it can while the subject and
// the model still differ. It returns the program that is left and how they
// differ then.
func (s *Subject) Shrink(p *generate.Program) (*generate.Program, string) {
	difference, _ := s.Check(p)
	runs := 0
	for t := range p.Threads {
		for size := len(p.Threads[t].Steps) / 2; size > 0; size /= 2 {
			for at := 0; at+size <= len(p.Threads[t].Steps) && runs < maxShrinkRuns; runs++ {
				smaller := without(p, t, at, size)
				d, err := s.Check(smaller)
				if err != nil || d == "" {
					at += size
					continue
				}
				p, difference = smaller, d
			}
		}
	}
	return p, difference
}

// without returns the program without some steps of a thread.
func without(p *generate.Program, thread, at, size int) *generate.Program {
	smaller := *p
	smaller.Threads = append([]generate.Thread(nil), p.Threads...)
	steps := p.Threads[thread].Steps
	smaller.Threads[thread].Steps = append(append([]generate.Step(nil), steps[:at]...), steps[at+size:]...)
	return &smaller
}
