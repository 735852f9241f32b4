-- DropIndex
DROP INDEX "containers_deploymentId_replica_key";

-- AlterTable
ALTER TABLE "containers" ADD COLUMN     "process" TEXT NOT NULL DEFAULT 'web';

-- CreateIndex
CREATE UNIQUE INDEX "containers_deploymentId_process_replica_key" ON "containers"("deploymentId", "process", "replica");
