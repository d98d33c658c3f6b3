//go:build !invariants && !race && !wasip1

package invariants

// Enabled says that assertions are not checked.
const Enabled = false
