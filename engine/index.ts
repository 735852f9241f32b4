/** The engine's front door: the only file that others import. */
export type * from './containers/containers.ts'
export { createEngine } from './create-engine.ts'
export type * from './engine.ts'
export { EngineError, type EngineErrorKind, isEngineError } from './errors.ts'
export type * from './images/images.ts'
export type * from './network/networks.ts'
export type { IdRange } from './snapshots/snapshots.ts'
