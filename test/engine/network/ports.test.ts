import { startPrivateHost } from '../../support/private-host.ts'
import { portsSuite } from './ports.suite.ts'

portsSuite(() => startPrivateHost({ mtu: 1420 }))
