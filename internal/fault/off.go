//go:build !wasip1 && !simulation

package fault

// Enabled says that no site can fire in this binary.
const Enabled = false

// Point is false: this binary is not a simulation (F1).
func Point(string) bool { return false }

// Enable does nothing: this binary is not a simulation.
func Enable(Config) {}

// Disable does nothing: this binary is not a simulation.
func Disable() {}

// Sites returns nil: this binary is not a simulation.
func Sites() []Site { return nil }
