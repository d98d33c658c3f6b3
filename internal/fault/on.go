//go:build wasip1 || simulation

package fault

// Enabled says that sites can fire in this binary.
const Enabled = true

// program holds the sites of the whole program. It is the one piece of state
// that Plinth keeps in a package: handing a registry to every rare path would
// put the simulation into every constructor of the product. It exists in
// binaries for the simulation only, which run one seed in a process.
var program Registry

// Point reports whether the rare path that is called name should be taken
// now. It is false until Enable was called.
func Point(name string) bool { return program.Point(name) }

// Enable lets the program's sites fire as config says.
func Enable(config Config) { program.Enable(config) }

// Disable makes the program's sites quiet, as in a liveness phase.
func Disable() { program.Disable() }

// Sites returns the program's sites that were visited since Enable, sorted by
// name.
func Sites() []Site { return program.Sites() }
