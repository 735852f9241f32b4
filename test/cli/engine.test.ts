/** `berth engine …` as an operator types it, against a real worker and its engine. One worker for all of it, in this order. */
import { describeArchives } from './engine/archives.suite.ts'
import { describeCopy } from './engine/copy.suite.ts'
import { describeDisk } from './engine/disk.suite.ts'
import { describeExec } from './engine/exec.suite.ts'
import { describeImages } from './engine/images.suite.ts'
import { describeLife } from './engine/life.suite.ts'
import { describeLists } from './engine/lists.suite.ts'
import { describeNetworks } from './engine/networks.suite.ts'
import { describeRun } from './engine/run.suite.ts'
import { makeStand } from './engine/stand.ts'
import { describeVolumes } from './engine/volumes.suite.ts'
import { describeWorker } from './engine/worker.suite.ts'

const stand = makeStand()

describeImages(stand)
describeRun(stand)
describeWorker(stand)
describeLife(stand)
describeExec(stand)
describeLists(stand)
describeVolumes(stand)
describeCopy(stand)
describeNetworks(stand)
describeArchives(stand)
describeDisk(stand)
