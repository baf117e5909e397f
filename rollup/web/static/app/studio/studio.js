export const Studio = () => null;
