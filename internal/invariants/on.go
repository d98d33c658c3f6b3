//go:build invariants || race || wasip1

package invariants

// Enabled says that assertions are checked.
const Enabled = true
