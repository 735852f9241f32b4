import { startPrivateHost } from '../../support/private-host.ts'
import { networksSuite } from './networks.suite.ts'

networksSuite(() => startPrivateHost({ mtu: 1420 }))
