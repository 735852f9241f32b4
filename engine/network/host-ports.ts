/** Whether a port of the host can be published: the firewall would take it away from whoever listens there. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { EngineError } from '../errors.ts'
import type { PublishedPort } from './networks.ts'
import { describePort } from './places.ts'
import { parseRange } from './subnets.ts'

const mostPorts = 100

/** Throws invalid for a port that makes no sense. */
export function checkPublishedPorts(ports: PublishedPort[]): void {
  if (ports.length > mostPorts)
    throw new EngineError(
      'invalid',
      `a container publishes at most ${mostPorts} ports, and not ${ports.length}`,
    )
  for (const { containerPort, hostPort, protocol, hostAddress } of ports) {
    for (const port of [containerPort, hostPort])
      if (!Number.isInteger(port) || port < 1 || port > 65_535)
        throw new EngineError('invalid', `${port} is no port: 1–65535`)
    if (protocol !== 'tcp' && protocol !== 'udp')
      throw new EngineError('invalid', `${protocol} is no protocol of a published port: tcp or udp`)
    const { first, last } = parseRange(hostAddress)
    if (first !== last || hostAddress.includes('/'))
      throw new EngineError('invalid', `${hostAddress} is no IPv4 address, to publish port ${hostPort} on`)
  }
}

/** Throws already-exists while a process of this host listens there, and invalid if the address is not the host's. */
export async function claimHostPort(port: PublishedPort): Promise<void> {
  try {
    await (port.protocol === 'tcp' ? listenTcp(port) : listenUdp(port))
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'EADDRINUSE')
      throw new EngineError(
        'already-exists',
        `cannot publish ${describePort(port)}: a process of this host listens there. Choose another port, or end it`,
        { cause: error },
      )
    if (code === 'EADDRNOTAVAIL')
      throw new EngineError(
        'invalid',
        `cannot publish ${describePort(port)}: ${port.hostAddress} is no address of this host`,
        { cause: error },
      )
    throw error
  }
}

async function listenTcp({ hostAddress, hostPort }: PublishedPort): Promise<void> {
  const server = createServer()
  server.listen({ host: hostAddress, port: hostPort, exclusive: true })
  await once(server, 'listening')
  server.close()
  await once(server, 'close')
}

async function listenUdp({ hostAddress, hostPort }: PublishedPort): Promise<void> {
  const socket = createSocket('udp4')
  try {
    socket.bind({ address: hostAddress, port: hostPort, exclusive: true })
    await once(socket, 'listening')
  } finally {
    socket.close()
  }
}
