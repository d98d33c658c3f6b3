package fault

import (
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
)

// Config says how often sites fire.
type Config struct {
	// Seed decides everything else.
	Seed uint64
	// ArmProbability is the chance that a site can fire at all in this run;
	// FoundationDB's is 0.25.
	ArmProbability float64
	// FireProbability is the chance that an armed site fires at one visit;
	// FoundationDB's is 0.25.
	FireProbability float64
}

// Site says what became of one site.
type Site struct {
	Name string
	// Armed says that the site could fire in this run.
	Armed bool
	// Visits and Fired count the calls of Point and those that returned true.
	Visits, Fired uint64
}

// Registry holds the state of all sites of one run. Point uses one for the
// whole program; a test may make its own.
type Registry struct {
	mu struct {
		sync.Mutex
		enabled bool
		config  Config
		sites   map[string]*siteState
	}
}

type siteState struct {
	Site
	rng *rand.Rand
}

// Enable forgets all earlier visits and lets sites fire as config says.
func (r *Registry) Enable(config Config) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.enabled = true
	r.mu.config = config
	r.mu.sites = make(map[string]*siteState)
}

// Disable makes every site quiet from now on (F2). Counts stay readable.
func (r *Registry) Disable() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.enabled = false
}

// Point records a visit of the site and reports whether it fires.
func (r *Registry) Point(name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.mu.enabled {
		return false
	}
	s, ok := r.mu.sites[name]
	if !ok {
		s = r.newSiteLocked(name)
		r.mu.sites[name] = s
	}
	s.Visits++
	if !s.Armed || s.rng.Float64() >= r.mu.config.FireProbability {
		return false
	}
	s.Fired++
	return true
}

// newSiteLocked gives the site a generator that is derived from the seed and
// the name only (F3, F4).
func (r *Registry) newSiteLocked(name string) *siteState {
	h := fnv.New64a()
	h.Write([]byte(name))
	rng := rand.New(rand.NewPCG(r.mu.config.Seed, h.Sum64()))
	armed := rng.Float64() < r.mu.config.ArmProbability
	return &siteState{Site: Site{Name: name, Armed: armed}, rng: rng}
}

// Sites returns every site that was visited since Enable, sorted by name.
func (r *Registry) Sites() []Site {
	r.mu.Lock()
	defer r.mu.Unlock()
	sites := make([]Site, 0, len(r.mu.sites))
	for s := range maps.Values(r.mu.sites) {
		sites = append(sites, s.Site)
	}
	slices.SortFunc(sites, func(a, b Site) int { return strings.Compare(a.Name, b.Name) })
	return sites
}
