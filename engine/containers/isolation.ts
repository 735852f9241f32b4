/** What keeps a container apart, with all that was left out said. Pure. */
import { maskedPaths, namespaces, readonlyPaths, usualCapabilities } from '../runtime/spec.ts'
import type { ContainerIsolation, ContainerSpec } from './containers.ts'

export function isolationOf(spec: ContainerSpec): ContainerIsolation {
  return {
    namespaces: [...namespaces],
    capabilities: [...(spec.capabilities ?? usualCapabilities)],
    noNewPrivileges: true,
    seccomp: 'strict',
    refusedSyscalls: [...(spec.refusedSyscalls ?? [])],
    maskedPaths: [...maskedPaths],
    readOnlyPaths: [...readonlyPaths],
    readOnlyRoot: spec.readOnlyRoot ?? false,
    runtimeClass: spec.runtimeClass ?? 'default',
  }
}
