// Package sim runs the deterministic simulation as tests: it compiles the
// simulated program, runs fixed and fresh seeds, and shows that a run can be
// repeated to the last byte. See docs/simulation.md.
package sim
