/** What keeps a container apart, with all that was left out said. Pure. */
import {
  maskedPaths,
  namespaces,
  nestingCapabilities,
  readonlyPaths,
  sharedNamespaces,
  usualCapabilities,
} from '../runtime/spec.ts'
import type { ContainerIsolation, ContainerSpec } from './containers.ts'

export function isolationOf(spec: ContainerSpec): ContainerIsolation {
  return {
    namespaces: namespaces.filter((each) => spec.joins === undefined || !sharedNamespaces.includes(each)),
    capabilities: capabilitiesOf(spec),
    noNewPrivileges: true,
    seccomp: spec.nesting ? 'nesting' : 'strict',
    refusedSyscalls: [...(spec.refusedSyscalls ?? [])],
    maskedPaths: [...maskedPaths],
    readOnlyPaths: [...readonlyPaths],
    readOnlyRoot: spec.readOnlyRoot ?? false,
    runtimeClass: spec.runtimeClass ?? 'default',
  }
}

/** All that any of its processes can have. */
export function capabilitiesOf(spec: Pick<ContainerSpec, 'capabilities' | 'nesting'>): string[] {
  return [...(spec.capabilities ?? usualCapabilities), ...(spec.nesting ? nestingCapabilities : [])]
}
