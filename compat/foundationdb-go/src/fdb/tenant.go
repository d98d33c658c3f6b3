package fdb

// Tenant is a part of the database with keys of its own. Plinth has none: every
// function that makes or opens one returns tenants_disabled (2136), as a cluster
// without tenants does. A subspace or a directory does the same work.
type Tenant struct{}

// CreateTenant returns tenants_disabled (2136).
func (d Database) CreateTenant(name KeyConvertible) error { return errTenantsDisabled }

// DeleteTenant returns tenants_disabled (2136).
func (d Database) DeleteTenant(name KeyConvertible) error { return errTenantsDisabled }

// ListTenants returns tenants_disabled (2136).
func (d Database) ListTenants() ([]Key, error) { return nil, errTenantsDisabled }

// OpenTenant returns tenants_disabled (2136).
func (d Database) OpenTenant(name KeyConvertible) (Tenant, error) {
	return Tenant{}, errTenantsDisabled
}

// CreateTenant returns tenants_disabled (2136).
func (t Transaction) CreateTenant(name KeyConvertible) error { return errTenantsDisabled }

// DeleteTenant returns tenants_disabled (2136).
func (t Transaction) DeleteTenant(name KeyConvertible) error { return errTenantsDisabled }

// ListTenants returns tenants_disabled (2136).
func (t Transaction) ListTenants() ([]Key, error) { return nil, errTenantsDisabled }

// CreateTransaction returns tenants_disabled (2136).
func (t Tenant) CreateTransaction() (Transaction, error) { return Transaction{}, errTenantsDisabled }

// Transact returns tenants_disabled (2136).
func (t Tenant) Transact(f func(Transaction) (interface{}, error)) (interface{}, error) {
	return nil, errTenantsDisabled
}

// ReadTransact returns tenants_disabled (2136).
func (t Tenant) ReadTransact(f func(ReadTransaction) (interface{}, error)) (interface{}, error) {
	return nil, errTenantsDisabled
}
