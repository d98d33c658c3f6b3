package host

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

const (
	// wasmPageBytes is the unit of a wasm memory.
	wasmPageBytes = 64 << 10
	// defaultMemoryLimitBytes is what one run may use: many times what a run
	// needs, so that one that reaches it has leaked.
	defaultMemoryLimitBytes = 2 << 30
	// cacheLimitBytes is what compiled programs may take in the cache: each
	// version of the program is some 200 MB of machine code.
	cacheLimitBytes = 2 << 30
)

// LoadConfig says how to prepare a program.
type LoadConfig struct {
	// CacheDir is as in BuildConfig.
	CacheDir string
	// MemoryLimitBytes bounds one run; 0 is 2 GiB.
	MemoryLimitBytes int64
	// Interruptible makes it possible to stop a program that neither waits nor
	// looks at the clock. It then runs half as fast.
	Interruptible bool
	// Log gets a line before each step that can take long; nil is nobody.
	Log io.Writer
}

// Program is a simulated program, ready to run from any number of seeds at
// the same time.
type Program struct {
	runtime wazero.Runtime
	module  wazero.CompiledModule
	// memory bounds one run, in bytes.
	memory        int64
	interruptible bool
}

// Load compiles wasm to machine code, or takes it from the cache. The caller
// closes the program after the last run has ended.
func Load(ctx context.Context, wasm []byte, config LoadConfig) (*Program, error) {
	cache, err := machineCodeCache(config)
	if err != nil {
		return nil, fmt.Errorf("cache directory of the simulation: %w", err)
	}
	if config.MemoryLimitBytes == 0 {
		config.MemoryLimitBytes = defaultMemoryLimitBytes
	}
	if config.Log != nil {
		fmt.Fprintln(config.Log, "loading the simulation (the first time after a change it is compiled to machine code)")
	}
	p := &Program{memory: config.MemoryLimitBytes, interruptible: config.Interruptible}
	p.runtime = wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler().
		WithCompilationCache(cache).
		WithDebugInfoEnabled(false).
		WithCloseOnContextDone(config.Interruptible).
		WithMemoryLimitPages(uint32(config.MemoryLimitBytes/wasmPageBytes)))
	if err := p.prepare(ctx, wasm); err != nil {
		return nil, fmt.Errorf("loading the simulation: %w", closeAfter(ctx, p, err))
	}
	return p, nil
}

// machineCodeCache opens the cache of compiled programs and makes room in it.
func machineCodeCache(config LoadConfig) (wazero.CompilationCache, error) {
	dir, err := cacheDir(config.CacheDir)
	if err != nil {
		return nil, err
	}
	dir = filepath.Join(dir, "machine-code")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if err := prune(dir, cacheLimitBytes); err != nil {
		return nil, err
	}
	return wazero.NewCompilationCacheWithDir(dir)
}

func closeAfter(ctx context.Context, p *Program, err error) error {
	if closeErr := p.Close(ctx); closeErr != nil {
		return fmt.Errorf("%w (and closing it: %v)", err, closeErr)
	}
	return err
}

func (p *Program) prepare(ctx context.Context, wasm []byte) error {
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, p.runtime); err != nil {
		return err
	}
	if err := exportHostFunctions(ctx, p.runtime); err != nil {
		return err
	}
	module, err := p.runtime.CompileModule(experimental.WithCompilationWorkers(ctx, runtime.GOMAXPROCS(0)), wasm)
	p.module = module
	return err
}

// exportHostFunctions offers the program what internal/sim/guest imports:
//
//	plinth_sim.trace(pointer, bytes)   one line of the trace
//	plinth_sim.report(pointer, bytes)  the report at the end
func exportHostFunctions(ctx context.Context, r wazero.Runtime) error {
	call := func(f func(*run, []byte)) api.GoModuleFunc {
		return func(ctx context.Context, m api.Module, stack []uint64) {
			data, ok := m.Memory().Read(api.DecodeU32(stack[0]), api.DecodeU32(stack[1]))
			if !ok {
				panic("simulated program passed a slice outside its memory")
			}
			f(ctx.Value(runKey{}).(*run), data)
		}
	}
	params := []api.ValueType{api.ValueTypeI32, api.ValueTypeI32}
	_, err := r.NewHostModuleBuilder("plinth_sim").
		NewFunctionBuilder().WithGoModuleFunction(call((*run).addTrace), params, nil).Export("trace").
		NewFunctionBuilder().WithGoModuleFunction(call((*run).setReport), params, nil).Export("report").
		Instantiate(ctx)
	return err
}

// Close frees the program.
func (p *Program) Close(ctx context.Context) error { return p.runtime.Close(ctx) }
