/**
 * Networks: one bridge each, private to the containers that are attached. Containers of one network reach each other
 * by address and by name; nobody reaches another network, the host's own services or cloud metadata addresses. The
 * world, and the host ports that the engine was told to allow, are reachable.
 */
export interface Networks {
  /** Makes the network if it is not there. `name` is 1–64 of [a-z0-9_-]. */
  ensure(name: string, options?: { signal?: AbortSignal }): Promise<Network>
  list(): Promise<Network[]>
  /** Gone when it returns; failed-precondition while containers are attached; no error if it is not there. */
  remove(name: string): Promise<void>
}

export interface Network {
  name: string
  /** Name of the bridge on the host, at most 15 characters. */
  bridge: string
  /** Such as 10.89.4.0/24. */
  subnet: string
  gateway: string
}
