export const Usage = () => null; export const ModelUsage = () => null;
