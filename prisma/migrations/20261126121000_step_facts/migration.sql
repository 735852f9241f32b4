-- AlterTable
ALTER TABLE "deployment_steps" ADD COLUMN     "facts" JSONB;
