package demo

import "fmt"

// Check is a promise that was looked into.
type Check struct {
	// Name is the promise.
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	// Detail says how much was looked at or, if the check failed, what is wrong.
	Detail string `json:"detail"`
}

// findings counts what is wrong and keeps the first of it.
type findings struct {
	count int
	first string
}

func (f *findings) addf(format string, args ...any) {
	f.count++
	if f.count == 1 {
		f.first = fmt.Sprintf(format, args...)
	}
}

// check makes a Check. The detail is for the case that nothing was found.
func (f *findings) check(name, detail string, args ...any) Check {
	switch f.count {
	case 0:
		return Check{Name: name, OK: true, Detail: fmt.Sprintf(detail, args...)}
	case 1:
		return Check{Name: name, Detail: f.first}
	}
	return Check{Name: name, Detail: fmt.Sprintf("%s (and %d more)", f.first, f.count-1)}
}
