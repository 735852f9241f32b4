-- AlterEnum
ALTER TYPE "DeploymentTrigger" ADD VALUE 'auto_rollback';

-- AlterTable
ALTER TABLE "apps" ADD COLUMN     "scaling" JSONB;

-- AlterTable
ALTER TABLE "containers" ADD COLUMN     "outOfTraffic" BOOLEAN NOT NULL DEFAULT false;
