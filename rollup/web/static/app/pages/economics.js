export const Economics = () => null;
