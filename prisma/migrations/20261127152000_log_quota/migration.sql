-- AlterTable
ALTER TABLE "apps" ADD COLUMN     "logBytes" BIGINT NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "teams" ADD COLUMN     "maxLogBytes" BIGINT;
