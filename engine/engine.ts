/**
 * The contract of the engine: what a host can do with images and containers. It has never heard of apps, teams or
 * deployments. `createEngine()` in index.ts makes the one implementation; others can come behind the same contract.
 *
 * Every call that waits takes `signal`. Every call may be made twice: the second finds the work done, or says
 * `already-exists` / `not-found`. Errors are EngineError.
 */
import type { Builder } from './builder/builder.ts'
import type { Containers } from './containers/containers.ts'
import type { Garbage } from './garbage.ts'
import type { Git } from './git/git.ts'
import type { CredentialsFor, Images } from './images/images.ts'
import type { Networks } from './network/networks.ts'
import type { RegistrySettings } from './registry/endpoint.ts'
import type { ProxySettings } from './registry/http.ts'
import type { Tools } from './tools/tools.ts'
import type { Volumes } from './volumes/volumes.ts'

export interface Engine {
  readonly builder: Builder
  readonly git: Git
  readonly images: Images
  readonly containers: Containers
  readonly networks: Networks
  readonly volumes: Volumes
  readonly tools: Tools
  readonly garbage: Garbage
  info(): Promise<EngineInfo>
  /** Lets go of the state folder. Containers run on; the next createEngine() finds them again. */
  close(): Promise<void>
}

export interface EngineOptions {
  /** Folder that holds all state, `<home>/engine`. One process owns it at a time (a lock says which). */
  stateDir: string
  /** Short-lived sockets and files, on a tmpfs; default `/run/berth/<hash of stateDir>`. */
  runDir?: string
  /**
   * Whether packed layers stay once they are unpacked, which pushing and saving need; default true. Without them they
   * are fetched again from where they came.
   */
  keepBlobs?: boolean
  /**
   * How registries are reached, by host as image references write it: address, mirrors, authorities. Others are
   * reached by https, those on loopback by http.
   */
  registries?: Record<string, RegistrySettings>
  /**
   * Registries on loopback addresses are asked only if `registries` lists them, so that whoever may name an image can't
   * have the host's own services asked; default false.
   */
  onlyListedLoopback?: boolean
  /**
   * Asked when a packed layer that was dropped to make room is needed again, to push or save it, and whoever asks for
   * that gave no credentials of that registry; default: it is asked without.
   */
  credentialsFor?: CredentialsFor
  /** For requests to registries; the engine reads no environment. */
  proxy?: ProxySettings
  /** Addresses of the containers' networks are cut from this range; default 10.89.0.0/16, a /24 for each network. */
  networkPool?: string
  /** TCP ports of the host itself that containers may reach (the edge's public ones). */
  allowedHostPorts?: number[]
  log?: (
    level: 'debug' | 'info' | 'warn' | 'error',
    message: string,
    details?: Record<string, unknown>,
  ) => void
}

export interface EngineInfo {
  runtime: 'crun' | 'runc'
  runtimeVersion: string
  cgroups: 'v1' | 'v2' | 'hybrid'
  kernel: string
  cpus: number
  memoryBytes: number
}
